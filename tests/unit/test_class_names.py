"""A class's list of names: what people write becomes hosts' names, or a sentence that says what to write instead."""

from pathlib import Path

import pytest

from classroom import coming, people
from classroom.people import ClassError, Learner
from lab import names


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("Ada", "ada"),
        ("Ada Lovelace", "ada-lovelace"),
        ("Zoë Müller", "zoe-muller"),
        ("Søren Weiß", "soren-weiss"),
        ("Łukasz Żak", "lukasz-zak"),
        ("Siobhán O’Brien", "siobhan-obrien"),
        ("  Jean--Luc  ", "jean-luc"),
        ("İpek Işık", "ipek-isik"),
    ],
)
def test_a_persons_name_becomes_a_hosts(called: str, name: str) -> None:
    [found] = people.named([called])
    assert found.name == name and found.called == called.strip() and names.valid(name)
    assert found.domain == f"{name}.class.example"


@pytest.mark.parametrize(
    ("called", "why"),
    [
        ("李雷", "no letters that a host name can have"),
        ("Анна", "no letters that a host name can have"),
        ("李 Ann", "no letters that a host name can have"),  # half of a name is another name
        ("…", "no letters that a host name can have"),
        ("7of9", "begins with a letter"),
        ("Client", "is the name of something else"),
        ("all", "is the name of something else"),
        ("mx1", "is the name of something else"),
        ("Maximiliane Wolfeschlegelsteinhausen", "24 is the most"),
        ("Ada\x07", "cannot be shown"),
    ],
)
def test_what_cannot_be_a_host_is_refused_with_a_remedy(called: str, why: str) -> None:
    with pytest.raises(ClassError, match=why) as caught:
        people.named([called])
    assert "Nothing was changed." in str(caught.value)
    if called.isprintable():
        assert "second column" in str(caught.value)


def test_a_file_of_names(tmp_path: Path) -> None:
    file = tmp_path / "class.csv"
    file.write_text(
        "\ufeffname;host\nAda Lovelace;ada\n\n# ill today\n李雷; li-lei\nBen\n", encoding="utf-8"
    )  # as Excel writes it
    assert people.from_csv(file) == [Learner("ada", "Ada Lovelace"), Learner("li-lei", "李雷"), Learner("ben", "Ben")]
    file.write_text("Ada\nBen\n")
    assert [one.name for one in people.from_csv(file)] == ["ada", "ben"]


def test_all_that_is_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "class.csv"
    file.write_text("Anna Müller\nBen\nanna muller\nBen\nCleo,Cleo!\n")
    with pytest.raises(ClassError) as caught:
        people.from_csv(file)
    said = str(caught.value).splitlines()
    assert said[0].startswith("line 3: anna muller and Anna Müller (line 1) would both be anna-muller.")
    assert said[1].startswith("line 4: Ben is there twice.") and "Ben,ben-2" in said[1]
    assert said[2].startswith("line 5: 'Cleo!' cannot name a host.")
    assert len(said) == 4


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ClassError, match="cannot be read: No such file"):
        people.from_csv(tmp_path / "none.csv")
    (tmp_path / "latin").write_bytes("Zoë\n".encode("latin-1"))
    with pytest.raises(ClassError, match="is not UTF-8"):
        people.from_csv(tmp_path / "latin")
    (tmp_path / "empty").write_text("name\n")
    with pytest.raises(ClassError, match="has no name in it"):
        people.from_csv(tmp_path / "empty")


def test_numbers() -> None:
    assert [one.name for one in people.numbered(2)] == ["learner-01", "learner-02"]
    for count in (0, -1, people.MOST + 1):
        with pytest.raises(ClassError, match="1 to 100"):
            people.numbered(count)
    with pytest.raises(ClassError, match="up to 100"):
        people.listed([("", f"learner {n}", "") for n in range(people.MOST + 1)])


def test_a_class_has_room_in_the_labs_network() -> None:
    taken = {names.octet("client", set()), names.OF_WORLD}
    for one in people.numbered(people.MOST):
        taken.add(names.octet(one.name, taken))
    assert len(taken) == people.MOST + 2


def test_who_is_there_stays_and_the_list_says_how_one_is_called() -> None:
    before = [Learner("ada", "Ada"), Learner("ben", "Ben")]
    assert coming.merged(before, [Learner("cleo", "Cleo"), Learner("ben", "Benjamin")]) == [
        Learner("cleo", "Cleo"),
        Learner("ben", "Benjamin"),
        Learner("ada", "Ada"),
    ]
    assert coming.merged(before, []) == before


def test_too_little_memory_is_said(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal: 9 kB\nMemAvailable:    1048576 kB\n")
    assert "30 more hosts" in coming.short_of_memory(30, file) and "1.0 GB are free" in coming.short_of_memory(30, file)
    assert not coming.short_of_memory(5, file) and not coming.short_of_memory(0, file)
    assert not coming.short_of_memory(30, tmp_path / "none")
