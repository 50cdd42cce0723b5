"""Started by ``extensions/wrapkit`` with ``-I -S``, from the folder that holds ``_wrapkit``.

Nothing more stands here: a start script is compiled anew at each start.
"""

import sys

sys.path.insert(0, __file__.rpartition("/")[0] or ".")

from _wrapkit.payload.external import main  # type: ignore[import-not-found]

main(sys.argv)
