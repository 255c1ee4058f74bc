import pytest

from montage.render import command, duration, render


def test_the_command_names_its_target():
    assert command(1, "card.mp4")[-1] == "card.mp4"


@pytest.mark.media
def test_a_card_is_as_long_as_asked(tmp_path):
    target = str(tmp_path / "card.mp4")
    render(1, target)
    assert duration(target) == pytest.approx(1, abs=0.15)
