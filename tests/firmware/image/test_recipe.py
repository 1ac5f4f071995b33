from pathlib import Path, PurePosixPath

import pytest

from firmware.image.recipe import HERE, RecipeError, load_recipe, part_files

BOARDS = """
[common]
packages = ["systemd"]
command_line = ["quiet"]
[x86]
architecture = "amd64"
boot = "grub"
packages = ["linux"]
[vm]
like = "x86"
packages = ["agent"]
command_line = ["console=ttyS0"]
[loop]
like = "loop"
[half]
packages = []
"""


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    file = tmp_path / "boards.toml"
    file.write_text(BOARDS)
    return file


def part(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "policy.json").write_text("{}")
    (folder / "image.toml").write_text(text)
    return folder / "image.toml"


def test_a_board_has_all_of_the_one_that_it_is_like(boards: Path) -> None:
    recipe = load_recipe("vm", boards)
    assert recipe.packages == ("systemd", "linux", "agent")
    assert recipe.command_line == ("quiet", "console=ttyS0")
    assert (recipe.architecture, recipe.boot, recipe.components) == ("amd64", "grub", ("main",))
    assert "agent" not in load_recipe("x86", boards).packages


def test_parts_add_packages_and_files(boards: Path, tmp_path: Path) -> None:
    kiosk = part(
        tmp_path / "f/kiosk", 'packages = ["cage", "linux"]\n[files]\n"policy.json" = "/etc/p.json"\n'
    )
    part(tmp_path / "f/lab", 'boards = ["vm"]\npackages = ["vivid"]\n')
    assert part_files(tmp_path / "f")[0] == kiosk
    recipe = load_recipe("x86", boards, part_files(tmp_path / "f"))
    assert recipe.packages == ("systemd", "linux", "cage")
    assert recipe.files == {PurePosixPath("/etc/p.json"): kiosk.parent / "policy.json"}
    assert "vivid" in load_recipe("vm", boards, part_files(tmp_path / "f")).packages


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('package = ["x"]', "package"),
        ("packages = [", "image.toml"),
        ('[files]\n"missing" = "/etc/x"', "missing"),
        ('[files]\n"policy.json" = "etc/x"', "etc/x"),
        ('[files]\n"policy.json" = "/etc/../root/x"', "no place"),
        ('[pinned]\nbrowser = "1"', "pinned.*browser"),
    ],
)
def test_a_part_that_cannot_be_meant_is_named(boards: Path, tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        load_recipe("vm", boards, [part(tmp_path / "f/kiosk", text)])


@pytest.mark.parametrize(
    ("board", "named"), [("pi9", "half, loop, vm, x86"), ("loop", "loop"), ("half", "architecture")]
)
def test_a_board_that_cannot_be_built(boards: Path, board: str, named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        load_recipe(board, boards)


def test_the_recipes_of_the_house() -> None:
    kiosk = load_recipe("x86", parts=part_files(HERE.parent))
    assert "chromium" in kiosk.pinned
    x86, vm, pi = (load_recipe(board) for board in ("x86", "vm", "pi5"))
    assert set(vm.packages) - set(x86.packages) >= {"qemu-guest-agent"}
    assert not {"openssh-server", "qemu-guest-agent"} & set(x86.packages)
    assert "console=ttyS0,115200" not in x86.command_line
    assert (pi.architecture, pi.components) == ("arm64", ("main", "non-free-firmware"))
    assert {"ro", "quiet", "panic=10"} <= set(pi.command_line)
