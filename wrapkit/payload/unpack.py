# Run by launch.py in a namespace of its own, with its `folder`: puts the modules of a bundle where
# an import would have put them. To find, open and read each takes longer than to run it. What is
# not in the bundle is imported as ever.

import marshal
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import SourceFileLoader

folder = globals()["folder"]


def unpack(modules: "list[tuple[str, str, bytes]]") -> None:
    """Runs modules (name, path below ``folder``, byte code) in the order of their imports."""
    for name, path, code in modules:
        place = f"{folder}/{path}"
        within = [place.rpartition("/")[0]] if path.endswith("/__init__.py") else None
        loader = SourceFileLoader(name, place)
        spec = ModuleSpec(name, loader, origin=place, is_package=within is not None)
        spec.has_location = True
        module = type(sys)(name)
        module.__spec__, module.__loader__, module.__file__ = spec, loader, place
        module.__package__ = spec.parent
        if within:
            module.__path__ = spec.submodule_search_locations = within
        sys.modules[name] = module
        exec(marshal.loads(code), module.__dict__)  # noqa: S102, S302 - the layer's own
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
