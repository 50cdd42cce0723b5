"""The spool over real files: killed at any byte, on full and forbidden disks, with damage."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrapkit.payload import _report
from wrapkit.payload._otlp_http import JSON, PROTOBUF
from wrapkit.payload.external import _spool
from wrapkit.payload.external._outbox import Batch
from wrapkit.payload.external._segment import HEADER_BYTES
from wrapkit.payload.external._spool import MAX_SEGMENTS, SEGMENT_BYTES, Spool, spool_path

SIGNALS = ("traces", "metrics", "logs")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")


@pytest.fixture(autouse=True)
def _silence(monkeypatch):
    monkeypatch.setattr(_report, "_said", set())


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "spool")


def batch(body, signal="traces", content_type=PROTOBUF, size=1):
    return Batch(signal=signal, content_type=content_type, body=body, size=size)


def drained(spool, *signals):
    """What can be taken, in order, delivered at once."""
    found = []
    for name in signals or SIGNALS:
        while (taken := spool.take(name)) is not None:
            found.append((taken.signal, taken.content_type, taken.body, taken.size))
            spool.delivered(taken)
    return found


def life(path, **arguments):
    """What a fresh process finds there."""
    spool = Spool(path, **arguments)
    found = [body for _, _, body, _ in drained(spool)]
    spool.close()
    return found


def segments(path):
    return sorted(Path(path).glob("*.otlp"))


def test_the_next_life_reads_what_this_one_kept(path):
    """Signal, content type, body and size come back, oldest first; then nothing is left."""
    first = Spool(path)
    for index in range(3):
        assert first.add(batch(b"t%d" % index, size=index + 1))
    assert first.add(batch(b"{}", "logs", JSON))
    first.close()

    second = Spool(path)
    assert drained(second, "metrics") == []
    assert drained(second, "logs") == [("logs", JSON, b"{}", 1)]
    assert [found[2:] for found in drained(second, "traces")] == [
        (b"t0", 1),
        (b"t1", 2),
        (b"t2", 3),
    ]
    assert segments(path) == []
    second.close()
    assert life(path) == []


def test_what_is_taken_is_not_taken_again(path):
    """A batch is with one lane at a time, and comes back when that could not send it."""
    spool = Spool(path)
    spool.add(batch(b"a"))
    taken = spool.take("traces")
    assert spool.take("traces") is None
    assert len(spool) == 0

    spool.put_back(taken)

    assert len(spool) == 1
    assert spool.take("traces").body == b"a"


def test_what_is_delivered_is_not_delivered_again(path):
    """A life that ends between two deliveries of one file leaves only the other record."""
    first = Spool(path)
    for body in (b"a", b"b", b"c"):
        first.add(batch(body))
    first.delivered(first.take("traces"))
    refused = first.take("traces")
    first.drop(refused)
    assert first.dropped == 1
    first.close()

    assert life(path) == [b"c"]


def test_a_life_that_dies_in_an_export_leaves_the_record(path):
    """Taken is not delivered."""
    first = Spool(path)
    first.add(batch(b"a"))
    first.take("traces")
    first.close()

    assert life(path) == [b"a"]


def test_the_next_life_goes_on_writing(path):
    """New records come behind the old ones, in the same file while that has room."""
    first = Spool(path)
    first.add(batch(b"a"))
    first.close()
    second = Spool(path)
    second.add(batch(b"b"))
    second.close()

    assert len(segments(path)) == 1
    assert life(path) == [b"a", b"b"]


def test_nobody_else_can_read_it(path):
    """Telemetry may hold what people typed."""
    spool = Spool(path)
    spool.add(batch(b"a"))

    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    modes = {stat.S_IMODE(file.stat().st_mode) for file in Path(path).iterdir()}
    assert modes == {0o600}


BODIES = [b"", b"a" * 30, b"wk" * 20]


def test_killed_at_every_byte(path):
    """Whatever the length of the file, the whole records come back, and writing goes on."""
    spool = Spool(path)
    for body in BODIES:
        spool.add(batch(body))
    spool.close()
    [file] = segments(path)
    data = file.read_bytes()
    ends = [sum(HEADER_BYTES + len(body) for body in BODIES[: n + 1]) for n in range(len(BODIES))]
    assert ends[-1] == len(data)

    for length in range(len(data) + 1):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data[:length])
        next_life = Spool(path)
        assert next_life.add(batch(b"new"))
        whole = [body for body, end in zip(BODIES, ends, strict=True) if end <= length]
        assert [found[2] for found in drained(next_life)] == [*whole, b"new"]
        next_life.close()


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_damaged_at_every_byte(path, flip):
    """No byte that changed makes it fail, or makes it hand out a body that was never written."""
    spool = Spool(path)
    for body in BODIES:
        spool.add(batch(body))
    spool.close()
    [file] = segments(path)
    data = file.read_bytes()

    for at in range(len(data)):
        file.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
        found = life(path)
        assert len(found) < len(BODIES)
        assert [body for body in BODIES if body in found] == found


def test_a_damaged_body_is_counted_and_the_rest_is_read(path, capsys):
    """Sent is received plus dropped."""
    spool = Spool(path)
    for body in (b"first", b"second", b"third"):
        spool.add(batch(body, size=5))
    spool.close()
    [file] = segments(path)
    file.write_bytes(file.read_bytes().replace(b"second", b"sEcond"))

    spool = Spool(path)
    assert [found[2] for found in drained(spool)] == [b"first", b"third"]
    assert spool.dropped == 5
    assert "damaged" in capsys.readouterr().err
    assert segments(path) == []


@pytest.mark.parametrize("name", ["00000001.otlp", "1.otlp", "00000001.txt", "x", "²²²²²²²².otlp"])
def test_files_of_others_are_left_alone(path, name):
    """A folder or a foreign name in the spool is no reason to fail."""
    os.mkdir(path, 0o700)
    os.mkdir(os.path.join(path, name))

    spool = Spool(path)
    assert spool.add(batch(b"a"))
    assert os.path.isdir(os.path.join(path, name))
    spool.close()
    assert life(path) == [b"a"]


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "deliver", "drop", "put back", "new life"]),
        st.sampled_from(SIGNALS),
        st.binary(max_size=40),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(OPERATIONS)
def test_as_a_queue_for_each_signal(tmp_path_factory, operations):
    """Whatever happens in whatever order: each record is handed out in its turn, exactly once."""
    path = str(tmp_path_factory.mktemp("spool") / "spool")
    spool, model = Spool(path), {name: [] for name in SIGNALS}
    for operation, name, body in operations:
        if operation == "add":
            assert spool.add(batch(body, name))
            model[name].append(body)
        elif operation == "new life":
            spool.close()
            spool = Spool(path)
        else:
            taken = spool.take(name)
            assert (taken and taken.body) == (model[name][0] if model[name] else None)
            if taken is not None and operation == "put back":
                spool.put_back(taken)
            elif taken is not None:
                model[name].pop(0)
                (spool.delivered if operation == "deliver" else spool.drop)(taken)
        assert len(spool) in (sum(map(len, model.values())), 0)
    assert [body for _, _, body, _ in drained(spool)] == [b for n in SIGNALS for b in model[n]]
    spool.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=60))
def test_bounded_and_counted(tmp_path_factory, lengths):
    """Never more than the limit on disk; what was added is delivered, dropped or not spooled."""
    path = str(tmp_path_factory.mktemp("spool") / "spool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_spool, "SEGMENT_BYTES", 1_000)
        spool = Spool(path, max_bytes=4_000)
        added = [bytes([index]) * length for index, length in enumerate(lengths)]
        for body in added:
            spool.add(batch(body, size=3))
            on_disk = sum(file.stat().st_size for file in segments(path))
            assert on_disk == spool.spooled_bytes <= 4_000
            assert len(segments(path)) <= MAX_SEGMENTS
        delivered = [body for _, _, body, _ in drained(spool)]
    spool.close()

    assert delivered == added[len(added) - len(delivered) :]
    assert 3 * len(delivered) + spool.dropped + spool.not_spooled == 3 * len(added)


def test_the_number_of_files_and_records_is_bounded(path):
    """Many small records fill the files by their number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_spool, "SEGMENT_RECORDS", 2)
        spool = Spool(path)
        for index in range(50):
            spool.add(batch(b"%d" % index))

        assert len(segments(path)) == MAX_SEGMENTS
        assert spool.dropped == 50 - 2 * MAX_SEGMENTS
        assert life_of(spool) == [b"%d" % index for index in range(18, 50)]


def life_of(spool):
    found = [body for _, _, body, _ in drained(spool)]
    spool.close()
    return found


def test_a_batch_that_is_too_long_is_not_spooled(path, capsys):
    """It would push out everything else, and not fit even then."""
    spool = Spool(path, max_bytes=1_000)
    spool.add(batch(b"kept"))

    assert not spool.add(batch(bytes(1_000), size=7))
    assert (spool.not_spooled, spool.dropped, len(spool)) == (7, 0, 1)
    assert "could not be kept" in capsys.readouterr().err


def test_a_taken_batch_whose_segment_had_to_go_is_counted_once(path):
    """In flight it is not dropped; put back, it is."""
    for outcome, expected in (("delivered", 0), ("put_back", 1), ("drop", 1)):
        spool = Spool(path, max_bytes=1_000)
        spool.add(batch(bytes(900)))
        taken = spool.take("traces")
        spool.add(batch(bytes(900)))
        assert (len(segments(path)), spool.dropped) == (1, 0)

        getattr(spool, outcome)(taken)

        assert spool.dropped == expected
        assert len(drained(spool)) == 1
        spool.close()


def test_a_function_that_empties_tmp(path):
    """What is deleted is dropped, and the spool goes on in a new folder."""
    spool = Spool(path)
    spool.add(batch(b"a"))
    shutil.rmtree(path)

    assert spool.add(batch(b"b"))
    assert spool.dropped == 1
    spool.close()
    assert life(path) == [b"b"]


def test_a_function_that_deletes_the_files_only(path):
    """New records do not go into a file that nobody will find."""
    spool = Spool(path)
    spool.add(batch(b"a"))
    segments(path)[0].unlink()

    assert spool.add(batch(b"b"))
    assert len(segments(path)) == 1
    spool.close()
    assert life(path) == [b"b"]


# Folders that are not ours


def refused(path, capsys):
    spool = Spool(path)
    assert not spool.add(batch(b"a", size=4))
    assert spool.take("traces") is None
    assert spool.not_spooled == 4
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_symbolic_link_is_not_followed(tmp_path, path, capsys):
    """Somebody else's folder stays as it was."""
    target = tmp_path / "target"
    target.mkdir()
    os.symlink(target, path)

    refused(path, capsys)
    assert list(target.iterdir()) == []


def test_a_symbolic_link_in_the_folder_is_not_followed(tmp_path, path):
    """Neither as a segment nor as the lock."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    os.mkdir(path, 0o700)
    os.symlink(victim, os.path.join(path, "00000001.otlp"))
    assert life(path) == []
    os.unlink(os.path.join(path, "lock"))
    os.symlink(victim, os.path.join(path, "lock"))
    assert not Spool(path).add(batch(b"a"))

    assert victim.read_bytes() == b"precious"


@as_root
def test_a_folder_of_another_user_is_not_used(path, capsys):
    """Its owner could read and replace what is written."""
    os.mkdir(path, 0o700)
    os.chown(path, 12345, 12345)

    refused(path, capsys)


def test_a_folder_that_others_may_write_to_is_not_used(path, capsys):
    """They could replace what is written."""
    os.mkdir(path)
    os.chmod(path, 0o777)  # noqa: S103 - what the test is about

    refused(path, capsys)


def test_a_file_in_the_place_of_the_folder(path, capsys):
    """One line, and nothing is spooled."""
    Path(path).write_bytes(b"")

    refused(path, capsys)


def test_no_folder_for_temporary_files(capsys):
    """A TMPDIR that is not there."""
    refused("/nonexistent/wrapkit-spool", capsys)


def test_where_it_is():
    """In TMPDIR, else in /tmp."""
    assert spool_path({}) == "/tmp/wrapkit-spool"
    assert spool_path({"TMPDIR": "/var/tmp/"}) == "/var/tmp/wrapkit-spool"


def test_segments_are_about_a_megabyte(path):
    """Dropping the oldest does not lose much at once."""
    spool = Spool(path)
    for _ in range(5):
        spool.add(batch(bytes(SEGMENT_BYTES // 2 + 1)))

    assert len(segments(path)) == 3
    spool.close()
