import pytest

from tests.emulator.environments import Deployment, may_isolate


@pytest.fixture
def deployment(tmp_path):
    return Deployment(tmp_path)


@pytest.fixture(scope="session")
def namespaces_allowed():
    return may_isolate()


@pytest.fixture(params=["namespace", "none"])
def isolation(request, namespaces_allowed):
    """Each of the two kinds of sandbox."""
    if request.param == "namespace" and not namespaces_allowed:
        pytest.skip("this kernel refuses mount namespaces")
    return request.param


@pytest.fixture
def needs_namespaces(namespaces_allowed):
    """For what only a private mount namespace shows."""
    if not namespaces_allowed:
        pytest.skip("this kernel refuses mount namespaces")
