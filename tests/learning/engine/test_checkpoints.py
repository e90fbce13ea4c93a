import pytest
import torch

from pipeline.errors import UserError
from pipeline.files import is_untrained, write_untrained
from pipeline.learning.engine.checkpoints import load_network, read_checkpoint, save_network
from pipeline.learning.images.networks import Architecture, PoseNetwork


@pytest.fixture
def saved(tmp_path):
    network = PoseNetwork(Architecture("slim", 8, 2))
    save_network(tmp_path / "n.pt", network, note="tiny")
    return tmp_path / "n.pt", network


def _change(path, **changes):
    torch.save({**torch.load(path, weights_only=True), **changes}, path)


def test_a_network_comes_back_with_its_metadata(saved):
    path, network = saved
    again, metadata = load_network(path, PoseNetwork)
    assert again.architecture == network.architecture
    assert not again.training
    assert metadata == {"note": "tiny"}
    assert all(torch.equal(w, again.state_dict()[name]) for name, w in network.state_dict().items())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"joints": ["nose"]}, r"predicts the joints \['nose'\], this code has \['pelvis'"),
        ({"version": 0}, "has version 0, this code reads version 3.*or name a file that this code has written"),
        ({"kind": "other"}, "holds a other network, a volumetric one is needed"),
        ({"architecture": {"backbone": "vgg"}}, r"has the backbone 'vgg', known are \['slim'"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(saved, changes, said):
    path, _ = saved
    _change(path, **changes)
    with pytest.raises(UserError, match=said):
        load_network(path, PoseNetwork)


def test_a_file_of_something_else_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "x.pt")
    with pytest.raises(UserError, match="is not a checkpoint of this pipeline"):
        load_network(tmp_path / "x.pt", PoseNetwork)
    for content in (b"", b"half a fi", b"junk"):
        (tmp_path / "y.pt").write_bytes(content)
        with pytest.raises(UserError, match=r"y\.pt cannot be read as weights"):
            read_checkpoint(tmp_path / "y.pt")


def test_a_detector_that_nothing_needed_is_named_as_such(tmp_path):
    write_untrained(tmp_path / "d.pt")
    assert is_untrained(tmp_path / "d.pt")
    with pytest.raises(UserError, match="holds no weights: no network was trained"):
        read_checkpoint(tmp_path / "d.pt")
