"""Guards what is said of translated people: whose skin it is, and how far a hand moves a drawing."""

import pytest
import torch

from companion.reproduce.ch07 import people


def test_a_skin_that_follows_the_person_is_told_by_the_person_and_one_that_follows_the_style_by_the_style():
    persons, styles = torch.tensor([30.0, 50.0, 80.0]), torch.tensor([[-9.0], [9.0]])
    hands = range(2)
    for drawn, person in ((persons.expand(2, 3), 1), (styles.expand(2, 3), 0)):
        assert people._told_by(drawn, "person", hands) == pytest.approx(person)
        assert people._told_by(drawn, "style", hands) == pytest.approx(1 - person)
    both = persons + styles
    shares = [people._told_by(both, source, hands) for source in ("person", "style")]
    assert sum(shares) == pytest.approx(1), "without an interaction the two tell everything"
    assert shares[0] == pytest.approx(float(persons.var(unbiased=False)) / float(both.var(unbiased=False)))


def test_the_metrics_of_skins_say_what_the_table_of_lightness_holds():
    own = [20.0, 40.0, 60.0, 70.0, 80.0, 90.0]
    halved = [[0.5 * light + shift for light in own] for shift in (10.0, 20.0, 30.0)]
    told = people._skins({"portraits": own, "translations": halved, "true drawings": [own, own, own]})
    values = {metric.name: metric.value for metric in told}
    assert values["slope of drawn skins in true ones: translations"] == pytest.approx(0.5)
    assert values["slope of drawn skins in true ones: true drawings"] == pytest.approx(1)
    assert values["lightness gained, darkest third: translations"] == pytest.approx(20 - 15)
    assert values["lightness gained, lightest third: translations"] == pytest.approx(20 - 42.5)
    assert values["share of skins told by the person: true drawings"] == pytest.approx(1)
    low, high = next(
        metric for metric in told if metric.name.startswith("lightness gained, darkest")
    ).interval
    assert low < 5 < high, "the interval is over styles"


def test_hands_are_weighed_against_people():
    (hands, strangers, share) = people._varied({"translations": {"hands": [1.0, 3.0], "people": [4.0, 4.0]}})
    assert (hands.value, strangers.value, share.value) == (2, 4, 0.5)
