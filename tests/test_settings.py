"""Guards settings: every class of the package goes to JSON and back, and what cannot be is one sentence."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, reject
from hypothesis import settings as examples
from hypothesis import strategies as st

import companion
from companion import plain
from companion.data.degrade import Camera
from companion.errors import CompanionError
from companion.losses import Perceptual, PixelL1
from companion.objectives import OneSidedWassersteinGP, Wasserstein, WassersteinGP
from companion.settings import Option, SettingError, Settings, option
from companion.training.deblurring import DeblurSettings
from companion.training.gan import ColourSettings, GANSettings, RunSettings
from companion.training.settings import TrainingSettings


def derived(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from derived(one)


def every_class() -> list[type[Settings]]:
    """All classes of settings in the package; commands and exercises hold none and would only take time."""
    for found in walk_packages(companion.__path__, "companion."):
        if not found.name.startswith(("companion.__main__", "companion.exercises", "companion.vision")):
            import_module(found.name)
    return sorted({one for one in derived(Settings) if one.__module__.startswith("companion.")}, key=str)


CLASSES = every_class()


@st.composite
def made(draw: st.DrawFn, kind: type) -> Any:
    """An object of a dataclass, each field at its default or anything its type and limits allow."""
    hints = plain.types_of(kind)
    options = kind.options() if issubclass(kind, Settings) else {}
    given = {
        one.name: draw(values(hints[one.name], options.get(one.name, Option())))
        for one in fields(kind)
        if draw(st.booleans())
    }
    try:
        return kind(**given)
    except CompanionError:
        reject()


def values(hint: Any, about: Option) -> st.SearchStrategy[Any]:
    """What a field may hold."""
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0], about), max_size=3).map(tuple)
    if len(plain.alternatives(hint)) > 1:
        return st.one_of(*(values(one, about) for one in plain.alternatives(hint)))
    if is_dataclass(hint):
        return st.one_of(*(made(kind) for kind in dict.fromkeys(plain.kinds_of(hint))))
    if about.choices:
        return st.sampled_from(about.choices)
    least, most = about.least, None if about.below is None else about.below
    simple = {
        int: st.integers(None if least is None else int(least), None if most is None else int(most) - 1),
        float: st.floats(least if least is not None else about.above, most, allow_nan=False),
        bool: st.booleans(),
        str: st.text(),
        type(None): st.none(),
    }
    return simple[hint]


def test_the_package_has_the_settings_we_know():
    assert {RunSettings, GANSettings, ColourSettings, DeblurSettings, TrainingSettings} <= set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
@pytest.mark.slow
@pytest.mark.api
def test_every_class_of_settings_goes_to_json_and_back(kind):
    @examples(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(made(kind))
    def there_and_back(settings: Settings) -> None:
        read = kind.from_json(json.loads(json.dumps(settings.as_json())))
        assert read == settings
        assert read.as_json() == settings.as_json()

    there_and_back()


def test_json_is_what_runs_and_records_have_always_held():
    """Run folders are told apart by it: objective and content loss with their names, the camera without one."""
    content = (Perceptual(50.0), PixelL1(2000.0))
    about = DeblurSettings(objective=WassersteinGP(), content=content).as_json()
    assert about["objective"] == {"name": "WassersteinGP", "critic_steps": 5, "weight": 10.0}
    assert about["content"] == [
        {"name": "Perceptual", "weight": 50.0, "backbone": "vgg16"},
        {"name": "PixelL1", "weight": 2000.0},
    ]
    assert about["camera"]["kind"] == "shake"
    assert "name" not in about["camera"]
    assert set(ColourSettings().as_json()) == {
        *("data", "size", "batch", "steps", "seed", "latents", "width", "objective", "generator_rate"),
        *("critic_rate", "ema_decay", "device", "bfloat16", "compiled", "uniform"),
    }


def test_a_whole_number_where_a_number_is_wanted_is_one():
    """JSON does not tell 1 from 1.0 in every hand that writes it."""
    read = GANSettings.from_json({"ema_decay": 1, "objective": {"name": "Wasserstein", "clip": 1}})
    assert read.objective == Wasserstein(clip=1.0)
    assert type(read.ema_decay) is type(read.objective.clip) is float
    assert read.steps == GANSettings().steps  # missing: its default


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"steps": "many"}, "The setting steps cannot be “many”; choose a whole number."),
        ({"steps": True}, "The setting steps cannot be True; choose a whole number."),
        ({"steps": 2.5}, "The setting steps cannot be 2.5; choose a whole number."),
        ({"steps": 0}, "The setting steps cannot be 0; choose 1 or more."),
        ({"bfloat16": 1}, "The setting bfloat16 cannot be 1; choose True or False."),
        ({"critic_rate": "x"}, "The setting critic_rate cannot be “x”; choose a number or None."),
        ({"stebs": 3}, "There is no setting of DeblurSettings called “stebs”; did you mean steps?"),
        ({"objective": 3}, "The setting objective cannot be 3; choose an Objective."),
        ({"objective": {"name": "Wassertein"}}, "There is no objective called “Wassertein”; did you mean"),
        ({"objective": {"name": "Wasserstein", "clip": "x"}}, "The setting objective's clip cannot be “x”"),
        ({"objective": {"name": "Wasserstein", "clip": -1}}, "Weights cannot be clipped"),
        ({"camera": {"sise": 3}}, "There is no setting of Camera called “sise”; did you mean size"),
        ({"content": [3]}, "choose a tuple, each of it a Perceptual or a PixelL1."),
    ],
)
def test_wrong_json_is_one_sentence(content, said):
    with pytest.raises(CompanionError) as told:
        DeblurSettings.from_json(content)
    assert said in str(told.value)
    assert not isinstance(told.value, SettingError), "nobody gave an option"


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"batch": 0}, "batch", "choose 1 or more"),
        ({"seed": 2**63}, "seed", "choose 0 or more, less than 2⁶³."),
        (
            {"critic_rate": 7.0},
            "critic_rate",
            "The setting critic_rate cannot be 7.0; choose one between 0 and 1.",
        ),
        ({"generator_rate": math.nan}, "generator_rate", "cannot be nan"),
        ({"objective": OneSidedWassersteinGP(critic_steps=0)}, "critic_steps", "choose 1 or more"),
        ({"steps": "2"}, "steps", "choose a whole number"),
    ],
)
def test_what_cannot_be_names_the_field(given, field, said):
    with pytest.raises(SettingError) as told:
        GANSettings(**given)
    assert told.value.field == field
    assert said in str(told.value)
    assert "--" not in str(told.value)


def test_a_changed_default_keeps_what_the_field_says():
    """And a new declaration replaces it."""

    @dataclass(frozen=True)
    class Base(Settings):
        rate: float = option(0.5, help="how fast", above=0)
        kind: str = option("a", choices=("a", "b"))

    @dataclass(frozen=True)
    class Slow(Base):
        rate: float = 0.1
        kind: str = option("c", choices=("c", "d"))

    assert Slow.options()["rate"].help == "how fast"
    with pytest.raises(SettingError, match="rate cannot be 0; choose more than 0"):
        Slow(rate=0)
    with pytest.raises(SettingError, match="kind cannot be “a”; choose c or d"):
        Slow(kind="a")


def test_gan_and_colour_settings_differ_in_what_a_batch_may_be():
    assert GANSettings(batch=1).batch == 1
    with pytest.raises(SettingError, match="choose 2 or more, since the generator normalises"):
        ColourSettings(batch=1)


def test_a_camera_is_read_back_as_a_camera():
    settings = DeblurSettings(camera=Camera(kind="disc", length=12.0))
    assert DeblurSettings.from_json(settings.as_json()).camera == settings.camera
