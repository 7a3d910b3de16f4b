"""Guards films: a picture at the time it is shown, in and out; sound kept; damage is what a decoder calls so."""

import errno
import json
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from films import BROWSER, CHANGING, STEADY, av, cut, film, picture, sound_of, times_of, trimmed

from companion import files
from companion.errors import CompanionError
from companion.vision.films import Video
from companion.vision.frames import FINEST, Frame
from companion.vision.outputs import as_line, line_output, picture_output
from companion.vision.privacy import hide_in_source
from companion.vision.sources import open_source


def seconds_in(path: Path) -> list[float]:
    with Video(path) as video:
        return [frame.seconds for frame in video]


def copied(source: Path, place: Path) -> None:
    """The film once more, as the commands write it."""
    with Video(source) as video, picture_output(place, video) as pictures:
        for frame in video:
            pictures.write(frame, frame.picture)


# ---- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("times", [CHANGING, BROWSER, STEADY], ids=["changing", "browser", "steady"])
@pytest.mark.slow
@pytest.mark.api
def test_time_comes_from_the_frames(tmp_path, suffix, times):
    assert seconds_in(film(tmp_path / f"film{suffix}", times)) == pytest.approx(times, abs=0.001)


@pytest.mark.slow
def test_a_recorder_that_names_no_rate_and_no_length_is_no_trouble(tmp_path):
    """As a browser's MediaRecorder writes: 98 frames of four seconds, which OpenCV takes for a tenth of a second."""
    source = film(tmp_path / "film.webm", BROWSER, live="1")
    with Video(source) as video:
        frames = list(video)
        assert video.count is None
        assert video.rate <= FINEST
    assert len(frames) == 98
    assert frames[-1].seconds == pytest.approx(BROWSER[-1], abs=0.001)
    greys = [frame.picture.mean() for frame in frames]
    assert np.diff(greys).min() > 0  # in order, each once


def test_the_first_frame_is_second_nought_wherever_a_film_begins(tmp_path):
    source = film(tmp_path / "film.mkv", [5 + time for time in CHANGING])
    assert seconds_in(source) == pytest.approx(CHANGING, abs=0.001)


def test_a_film_trimmed_without_recoding_shows_what_is_left_and_is_not_damaged(tmp_path):
    """Its header counts 50 frames; its edit list shows 41 of them."""
    whole = film(tmp_path / "whole.mp4", STEADY, codec="libx264", movflags="+faststart")
    source = trimmed(tmp_path / "film.mp4", whole, Fraction(9, 25))
    with Video(source) as video:
        frames = list(video)
        assert video.count == 41
    assert [frame.seconds for frame in frames] == pytest.approx(STEADY[:41], abs=0.001)
    assert frames[0].picture.mean() == pytest.approx(picture(9).mean(), abs=4)


def test_two_films_joined_go_on_in_time(tmp_path):
    """Some cameras' transport streams begin anew; a clock that went back would stop the trackers."""
    for name in ("one.ts", "two.ts"):
        film(tmp_path / name, STEADY)
    joined = tmp_path / "joined.ts"
    joined.write_bytes((tmp_path / "one.ts").read_bytes() + (tmp_path / "two.ts").read_bytes())
    assert seconds_in(joined) == pytest.approx([index / 25 for index in range(100)], abs=0.002)


@pytest.mark.parametrize(("turned", "corner"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (-90, (0, 1))])
def test_pictures_are_turned_upright(tmp_path, turned, corner):
    white = np.zeros((32, 64, 3), np.uint8)
    white[:16, :16] = 255
    with Video(film(tmp_path / "film.mp4", [0.0, 0.1], pictures=[white] * 2, turned=turned)) as video:
        upright = next(iter(video)).picture
    assert upright.shape == ((32, 64, 3) if turned in (0, 180) else (64, 32, 3))
    assert upright[-3 * corner[0] + (not corner[0]) * 3, -3 * corner[1] + (not corner[1]) * 3].mean() > 200
    assert upright.mean() < 60
    assert upright.flags.c_contiguous


# ---- what is damaged, and what is not -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.avi", {}),
        ("film.mkv", {}),
        ("film.webm", {"live": "1"}),
        ("film.mp4", {"movflags": "+faststart"}),
        ("film.mp4", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
@pytest.mark.slow
def test_a_film_cut_short_gives_what_it_has_and_then_says_so(tmp_path, name, options):
    noise = np.random.default_rng(1).integers(0, 256, (50, 48, 64, 3), dtype=np.uint8)
    whole = film(tmp_path / name, STEADY, pictures=list(noise), **options)
    assert len(seconds_in(whole)) == 50
    seen = []
    with (
        Video(cut(tmp_path / f"cut-{name}", whole, 0.6)) as video,
        pytest.raises(CompanionError, match="breaks off after .* the file is cut short"),
    ):
        for frame in video:
            seen.append(frame)
    assert 5 <= len(seen) <= 45


def test_a_damaged_place_costs_no_other_frame_and_is_said(tmp_path):
    whole = film(tmp_path / "film.avi", STEADY)
    content = bytearray(whole.read_bytes())
    starts = [
        at for at in range(len(content)) if content[at : at + 4] == b"00dc" and at < content.rfind(b"idx1")
    ]
    content[starts[20] + 8 : starts[21]] = bytes(starts[21] - starts[20] - 8)
    (tmp_path / "hurt.avi").write_bytes(content)
    seen = []
    with (
        Video(tmp_path / "hurt.avi") as video,
        pytest.raises(CompanionError, match=r"at 1 place, first after 0\.[78] s"),
    ):
        for frame in video:
            seen.append(frame)
    assert len(seen) == 49


def test_a_recording_that_begins_between_two_pictures_is_not_damaged(tmp_path):
    """A broadcast is cut anywhere: the frames before the first whole one cannot be decoded, and need not be."""
    whole = film(tmp_path / "film.ts", STEADY, codec="libx264").read_bytes()
    (tmp_path / "later.ts").write_bytes(whole[188 * 6 :])
    with pytest.raises(CompanionError, match="No frame of"):  # its one key frame is gone
        seconds_in(tmp_path / "later.ts")
    (tmp_path / "later.ts").write_bytes(whole[188 * 6 :] + whole)
    assert len(seconds_in(tmp_path / "later.ts")) >= 50


@pytest.mark.parametrize(
    ("name", "known", "unknown", "said"),
    [
        ("film.mp4", b"avc1", b"xyzw", "xyzw"),
        ("film.mp4", b"avc1", b"evc1", "evc"),
        ("film.mkv", b"V_VP8", b"V_XYZ", "V_XYZ"),
        ("film.avi", b"MJPG", b"QQQQ", "QQQQ"),
    ],
)
def test_a_codec_that_cannot_be_read_is_named(tmp_path, name, known, unknown, said):
    whole = film(tmp_path / name, STEADY, codec="libx264" if name == "film.mp4" else None)
    whole.write_bytes(whole.read_bytes().replace(known, unknown))
    quiet = av.logging.get_level()
    with pytest.raises(CompanionError, match=f"in the codec {said}, which cannot be read here"):
        Video(whole)
    assert av.logging.get_level() == quiet


@pytest.mark.parametrize("name", ["notes.txt", "notes.mp4", "list.m3u8", "subtitles.srt", "data.csv"])
def test_a_text_is_no_film(tmp_path, name):
    (tmp_path / name).write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n" * 200)
    with pytest.raises(CompanionError, match="no video"):
        open_source(str(tmp_path / name))


def test_a_sound_is_no_film(tmp_path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as out:
        stream = out.add_stream("aac", rate=48_000, layout="mono")
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        tone.sample_rate = 48_000
        out.mux(stream.encode(tone))
        out.mux(stream.encode(None))
    with pytest.raises(CompanionError, match="only sound"):
        Video(tmp_path / "sound.mp4")


# ---- writing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("times", [CHANGING, BROWSER, STEADY], ids=["changing", "browser", "steady"])
@pytest.mark.slow
@pytest.mark.api
def test_what_was_shown_when_is_written(tmp_path, suffix, times):
    copied(film(tmp_path / "film.mkv", times), tmp_path / f"out{suffix}")
    assert times_of(tmp_path / f"out{suffix}") == pytest.approx(times, abs=0.001)


@pytest.mark.parametrize("times", [CHANGING, BROWSER, STEADY], ids=["changing", "browser", "steady"])
@pytest.mark.slow
@pytest.mark.api
def test_an_avi_which_can_only_count_keeps_every_frame_at_about_its_time(tmp_path, times):
    copied(film(tmp_path / "film.mkv", times), tmp_path / "out.avi")
    assert times_of(tmp_path / "out.avi") == pytest.approx(times, abs=0.5 / 25 + 0.02)


def test_a_slow_camera_plays_as_long_as_it_ran(tmp_path):
    """It announces 30 frames a second and gives 10: what was written at 30 played three times too fast."""

    class Camera:
        rate, name, count = FINEST, "camera 0", None

    for suffix in (".mp4", ".webm", ".avi"):
        with picture_output(tmp_path / f"out{suffix}", Camera()) as pictures:
            for index in range(20):
                pictures.write(Frame(picture(index), 0.1 * index, str(index)), picture(index))
        assert times_of(tmp_path / f"out{suffix}") == pytest.approx(0.1 * np.arange(20), abs=0.005)


@pytest.mark.parametrize(
    ("sound", "source", "place"),
    [
        ("libopus", "film.webm", "out.webm"),
        ("libopus", "film.webm", "out.mp4"),
        ("aac", "film.mp4", "out.mp4"),
        ("aac", "film.mp4", "out.mkv"),
        ("libmp3lame", "film.mkv", "out.avi"),
    ],
)
@pytest.mark.slow
@pytest.mark.api
def test_the_sound_is_copied(tmp_path, capsys, sound, source, place):
    before = sound_of(film(tmp_path / source, BROWSER, sound=sound))
    copied(tmp_path / source, tmp_path / place)
    after = sound_of(tmp_path / place)
    assert len(before) > 100
    assert after == before
    assert capsys.readouterr().err == ""
    with av.open(str(tmp_path / place)) as out:
        (heard,) = out.streams.audio
        first = next(packet for packet in out.demux(heard))
        assert abs(float(first.pts * first.time_base)) < 0.03  # beside the pictures, not after them


@pytest.mark.parametrize("place", ["out.avi", "out.mkv", "out.mp4"])
@pytest.mark.slow
def test_the_aac_of_a_broadcast_is_kept_without_its_headers(tmp_path, capsys, place):
    """In MPEG-TS each packet carries its description; AVI refuses that, and at the film's end only."""
    before = sound_of(film(tmp_path / "film.ts", STEADY, sound="aac"))
    copied(tmp_path / "film.ts", tmp_path / place)
    after = sound_of(tmp_path / place)
    assert capsys.readouterr().err == ""
    assert all(packet.startswith(b"\xff") for packet in before)
    assert {packet[7:] for packet in before} >= set(after)
    assert len(after) == pytest.approx(len(before), abs=2)
    with av.open(str(tmp_path / place)) as out:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in out.decode(audio=0)])
    assert np.std(heard) == pytest.approx(8000 / 2**15 / np.sqrt(2), rel=0.1)  # the tone


def test_a_refused_avi_is_not_told_to_become_one(tmp_path):
    """What no AVI can hold, another container may."""
    film(tmp_path / "film.mkv", STEADY[:3])
    told = r"cannot be written \(Invalid .*\); choose a --save that ends in \.mkv\."
    with (
        Video(tmp_path / "film.mkv") as video,
        picture_output(tmp_path / "out.avi", video) as pictures,
        pytest.raises(CompanionError, match=told),
        pictures._refusals(),
    ):
        raise av.ArgumentError(22, "Invalid argument")


@pytest.mark.slow
def test_the_loss_of_a_sound_is_said_before_the_work(tmp_path, capsys):
    film(tmp_path / "film.mp4", BROWSER, sound="aac")
    with Video(tmp_path / "film.mp4") as video, picture_output(tmp_path / "out.webm", video) as pictures:
        assert "The sound (aac) cannot be kept in out.webm; it can in a .mkv file." in capsys.readouterr().err
        for frame in video:
            pictures.write(frame, frame.picture)
    assert sound_of(tmp_path / "out.webm") == []
    assert len(times_of(tmp_path / "out.webm")) == 98


def test_a_sound_in_an_unknown_codec_is_not_promised_elsewhere(tmp_path, capsys):
    heard = film(tmp_path / "heard.webm", BROWSER, sound="libopus").read_bytes()
    (tmp_path / "film.webm").write_bytes(heard.replace(b"A_OPUS", b"A_ZPUS"))
    with Video(tmp_path / "film.webm") as video, picture_output(tmp_path / "out.mkv", video):
        pass
    assert "The sound (an unknown codec) cannot be kept in out.mkv.\n" in capsys.readouterr().err


def test_sound_and_pictures_stay_together_where_a_film_begins_late(tmp_path):
    source = film(tmp_path / "film.mkv", [2 + time for time in CHANGING], sound="libopus")
    copied(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as out:
        ends = [p.pts * p.time_base for p in out.demux(out.streams.audio) if p.pts is not None]
    assert times_of(tmp_path / "out.mkv") == pytest.approx(CHANGING, abs=0.03)
    assert float(ends[-1]) == pytest.approx(
        CHANGING[-1], abs=0.1
    )  # the two seconds before the first picture are gone


def test_a_stopped_film_has_no_more_sound_than_pictures(tmp_path):
    film(tmp_path / "film.mkv", STEADY, sound="libopus")
    with (
        pytest.raises(KeyboardInterrupt),
        Video(tmp_path / "film.mkv") as video,
        picture_output(tmp_path / "out.mkv", video) as pictures,
    ):
        for frame in video:
            if frame.seconds >= 1:
                raise KeyboardInterrupt
            pictures.write(frame, frame.picture)
    assert len(times_of(tmp_path / "out.mkv")) == 25
    assert len(sound_of(tmp_path / "out.mkv")) == pytest.approx(50, abs=4)  # twenty milliseconds each


def test_pictures_that_grow_or_turn_are_fitted_into_the_first_ones_size(tmp_path):
    """A browser's recording changes its size with the window; OpenCV dropped such pictures without a word."""

    class Camera:
        rate, name, count = FINEST, "camera 0", None

    white = np.full((64, 48, 3), 255, np.uint8)
    with picture_output(tmp_path / "out.mp4", Camera()) as pictures:
        for index, pixels in enumerate([picture(0), white]):
            pictures.write(Frame(pixels, 0.1 * index, str(index)), pixels)
    with Video(tmp_path / "out.mp4") as video:
        first, second = (frame.picture for frame in video)
    assert first.shape == second.shape == (48, 64, 3)
    assert second[:, 20:44].mean() > 230
    assert second[:, :8].mean() < 30


def test_pixels_that_are_not_square_stay_so(tmp_path):
    film(tmp_path / "film.mp4", STEADY, pixel_shape=Fraction(16, 11))
    copied(tmp_path / "film.mp4", tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert out.streams.video[0].sample_aspect_ratio == Fraction(16, 11)


# ---- a disk that refuses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize("room", [0, 20_000])
@pytest.mark.slow
@pytest.mark.api
def test_a_full_disk_is_an_error_and_leaves_no_film(tmp_path, monkeypatch, suffix, room):
    """OpenCV's writer ended well with 0 to 12 of 60 frames."""
    noise = np.random.default_rng(1).integers(0, 256, (60, 48, 64, 3), dtype=np.uint8)
    source = film(tmp_path / "film.mkv", STEADY + [2 + t for t in STEADY[:10]], pictures=list(noise))
    real = open

    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            if self.file.tell() + len(data) > room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(data)

    monkeypatch.setattr(
        files,
        "open",
        lambda path, mode: Full(real(path, mode)) if "w" in mode else real(path, mode),
        raising=False,
    )
    with pytest.raises(CompanionError, match=r"Could not write .*out.*No space left on device"):
        copied(source, tmp_path / f"out{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["film.mkv"]
    monkeypatch.undo()
    copied(source, tmp_path / f"out{suffix}")
    assert len(times_of(tmp_path / f"out{suffix}")) == 60


def test_lines_that_do_not_fit_leave_nothing_that_blocks_the_next_try(tmp_path, monkeypatch):
    class Camera:
        rate, name, count = FINEST, "camera 0", None

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    line = as_line(Frame(picture(0), 0.0, "0"), [])
    with (
        pytest.raises(CompanionError, match="No space left"),
        line_output(tmp_path / "out.mp4", Camera()) as lines,
    ):
        print(line, file=lines, flush=True)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    with line_output(tmp_path / "out.mp4", Camera()) as lines:
        print(line, file=lines, flush=True)
    assert json.loads((tmp_path / "out.jsonl").read_text())["source"] == "0"


def test_a_film_that_somebody_else_wrote_meanwhile_stays(tmp_path):
    source = film(tmp_path / "film.mkv", CHANGING)
    with (
        pytest.raises(CompanionError, match="stays as it is"),
        Video(source) as video,
        picture_output(tmp_path / "out.mp4", video) as pictures,
    ):
        (tmp_path / "out.mp4").write_text("theirs")
        for frame in video:
            pictures.write(frame, frame.picture)
    assert (tmp_path / "out.mp4").read_text() == "theirs"


# ---- privacy --------------------------------------------------------------------------------------------------------


class SeesOne:
    """A detector that finds a face in one picture, by its grey."""

    def __init__(self, grey: float) -> None:
        self.grey = grey

    def find(self, seen: np.ndarray) -> list:
        from companion.vision import Box, Face

        if abs(seen[:4, :4].mean() - self.grey) > 0.9:
            return []
        return [Face(np.zeros((6, 3), np.float32), 64, 48, Box(20, 20, 30, 40), 0.9)]


@pytest.mark.parametrize("suffix", [".webm", ".mp4"])
@pytest.mark.slow
def test_a_face_is_hidden_for_a_third_of_a_second_whatever_rate_a_film_names(tmp_path, suffix):
    """A recorder's film named 1,000 frames a second, so each face was hidden for 333 frames: all of the film."""
    source = (
        film(tmp_path / f"film{suffix}", BROWSER, live="1")
        if suffix == ".webm"
        else film(tmp_path / f"film{suffix}", BROWSER)
    )
    with Video(source) as video:
        frames = list(video)
    detector = SeesOne(frames[49].picture[:4, :4].mean())
    seen = [frame.seconds for frame in frames if detector.find(frame.picture)]
    with Video(source) as video:
        results = list(hide_in_source(video, detector, lambda face: face * 0 + 255))
    hidden = [frame.seconds for frame, shown in results if (shown != frame.picture).any()]
    assert len(results) == 98
    assert hidden == [
        frame.seconds for frame in frames if min(abs(frame.seconds - one) for one in seen) <= 1 / 3 + 1e-6
    ]
    assert 14 <= len(hidden) <= 18


def test_no_more_frames_are_held_than_a_third_of_a_second(tmp_path):
    """551 MB became 1.6 GB: all frames of a film without a rate were held at once."""
    held, most = [0], [0]

    class Counted(Frame):
        def __del__(self):
            held[0] -= 1

    class Source:
        rate = 1000.0

        def __iter__(self):
            for index in range(200):
                held[0] += 1
                most[0] = max(most[0], held[0])
                yield Counted(picture(index % 100), index / 25, str(index))

    with closing(hide_in_source(Source(), SeesOne(-9))) as results:
        for _ in results:
            pass
    assert most[0] <= 25 / 3 + 4


def test_stereo_sound_of_an_unnamed_layout_can_be_copied_into_an_mp4(tmp_path):
    """AVI and MKV say "2 channels"; MP4 wants to know which, and says so only at the film's end."""
    with av.open(str(tmp_path / "film.avi"), "w") as out:
        stream = out.add_stream("mjpeg", 25, width=64, height=48)
        stream.pix_fmt = "yuvj420p"
        heard = out.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        for index in range(20):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="rgb24")))
        out.mux(stream.encode(None))
        for start in range(0, 38_400, 960):
            tone = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), format="s16", layout="stereo")
            tone.sample_rate, tone.pts, tone.time_base = 48_000, start, Fraction(1, 48_000)
            out.mux(heard.encode(tone))
        out.mux(heard.encode(None))
    with Video(tmp_path / "film.avi") as video, picture_output(tmp_path / "out.mp4", video) as pictures:
        for frame in video:
            pictures.write(frame, frame.picture)
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert film.streams.audio[0].codec_context.layout.nb_channels == 2
        assert sum(frame.samples for frame in film.decode(audio=0)) == 38_400
