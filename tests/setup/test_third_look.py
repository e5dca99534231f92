"""A third look at what a site file may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.schema import ConfigError, parse
from liftctl.accept import accept, load_or_fall_back
from liftctl.setup.changes import changed

DEMO = Path("config/sites/demo-lift.toml").read_text(encoding="utf-8")
CHAIR = Path("config/sites/demo-chair.toml").read_text(encoding="utf-8")
NAME, FAULT = 'name = "demo-lift"', "swl_kg = 9000"


# --- which room a file is about -------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder; nothing was accepted yet."""
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def accepted(data: Path, text: str) -> None:
    site = parse(text, "site.toml")
    (data / site.name).mkdir(parents=True)
    accept(site)


def fallen(data: Path, text: str | bytes) -> str:
    """The site that a file of another name falls back to, "" when it runs itself."""
    path = data.parent / "room.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    site, fallback, _ = load_or_fall_back(path)
    return site.name if fallback else ""


def broken(name_line: str) -> str:
    """Another first line, and a fault further down."""
    return DEMO.replace(NAME, name_line, 1).replace("swl_kg = 200", FAULT, 1)


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize(
    "name_line",
    [
        "name = demo-lift",  # the quotes forgotten
        "name = demo-lift # the ward's first",
        'name = "demo-lift',
        "name = 'demo-lift'",  # legal TOML, and a fault elsewhere
        """ 'name'="demo-lift" """,
        'name = """demo-lift"""',
    ],
)
def test_a_typing_error_beside_the_name_still_falls_back_to_what_was_accepted(
    data: Path, name_line: str, others: bool
) -> None:
    """H34, rule 11: the first `name = "..."` of the file was then that of a bus. Nothing accepted
    was found for a site called "lift": the gate ended with status 2, nobody could be lowered.
    """
    accepted(data, DEMO)
    if others:
        accepted(data, CHAIR)
    assert fallen(data, broken(name_line)) == "demo-lift"


@pytest.mark.parametrize("name_line", ["", "name = 7", 'nmae = "demo-lift"', 'name = "demo-lfit"'])
def test_a_name_that_cannot_be_read_means_the_only_site_there_is(
    data: Path, name_line: str
) -> None:
    accepted(data, DEMO)
    assert fallen(data, broken(name_line)) == "demo-lift"


def test_of_two_rooms_none_is_guessed(data: Path) -> None:
    """The other room's hoist would be moved."""
    accepted(data, DEMO)
    accepted(data, CHAIR)
    with pytest.raises(ConfigError, match="swl_kg"):
        fallen(data, broken('name = "demo-lfit"'))


def test_a_file_that_is_no_text_says_its_name_still(data: Path) -> None:
    accepted(data, DEMO)
    accepted(data, CHAIR)
    assert fallen(data, DEMO.replace("Room 1", "Værelse 1").encode("latin-1")) == "demo-lift"


def test_a_bus_called_like_another_room_is_not_taken_for_it(data: Path) -> None:
    accepted(data, DEMO)
    accepted(data, CHAIR.replace('"demo-chair"', '"lift"', 1))
    with pytest.raises(ConfigError, match="'name' is missing"):
        fallen(data, DEMO.replace(NAME, "", 1))


def test_a_misspelt_name_in_a_sound_file_falls_back(data: Path) -> None:
    """A new site without data: the gate did not start, and somebody may hang in that room."""
    accepted(data, DEMO)
    assert fallen(data, DEMO.replace(NAME, 'name = "demo-lfit"', 1)) == "demo-lift"


def test_a_second_room_begins_as_it_always_did(data: Path) -> None:
    """Other buses: it is no misspelt first one. So is one that was begun on purpose."""
    accepted(data, DEMO)
    assert fallen(data, CHAIR) == ""
    (data / "demo-lift-2").mkdir()
    assert fallen(data, DEMO.replace(NAME, 'name = "demo-lift-2"', 1)) == ""


# --- what a panel needs ---------------------------------------------------------------------------


def with_languages(listed: str) -> str:
    return DEMO.replace('kind = "lift"', f'kind = "lift"\nlanguages = {listed}', 1)


@pytest.mark.parametrize("languages", ["[]", '["no"]', '["DA"]', '[""]'])
def test_a_site_whose_panel_would_have_no_words_is_refused(languages: str) -> None:
    """The page stopped at its first line: arrows, state and STOP were dead on the wall, and nothing
    had said so when the file was accepted.
    """
    with pytest.raises(ConfigError, match=r"languages .* name at least one of"):
        parse(with_languages(languages), "site.toml")


@pytest.mark.parametrize("languages", ['["en"]', '["no", "da"]'])
def test_one_language_that_is_known_is_enough(languages: str) -> None:
    parse(with_languages(languages), "site.toml")


def test_no_centre_can_take_the_words_away() -> None:
    """`languages` may be proposed from afar, by one person."""
    with pytest.raises(ConfigError, match="name at least one"):
        changed(parse(DEMO, "site.toml"), {"languages": ("no",)})


def served(panel: int, desk: int) -> str:
    return DEMO.replace("panel_port = 8080", f"panel_port = {panel}").replace(
        "desk_port = 8090", f"desk_port = {desk}"
    )


@pytest.mark.parametrize(
    ("panel", "desk", "said"),
    [
        (8090, 8090, "web.panel_port and web.desk_port are both 8090"),
        (70_000, 8090, "web.panel_port 70000 is outside"),
        (65_536, 8090, "web.panel_port 65536 is outside"),
        (-1, 8090, "web.panel_port -1 is outside"),
        (0, 8090, "web.panel_port 0 is outside"),  # any: nobody would find it
        (8080, 65_536, "web.desk_port 65536 is outside"),
        (8080, 0, "web.desk_port 0 is outside"),
    ],
)
def test_a_port_that_cannot_be_served_is_refused(panel: int, desk: int, said: str) -> None:
    """Accepted, and the wall panel never came up."""
    with pytest.raises(ConfigError, match=said):
        parse(served(panel, desk), "site.toml")


def test_the_first_and_the_last_port_are_taken() -> None:
    parse(served(1, 65_535), "site.toml")
