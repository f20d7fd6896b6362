"""The wheel as one installs it: its name, what it holds, and that its command runs."""

import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from server import VERSION
from tests.commands import environment

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert built.returncode == 0, built.stderr
    return folder / built.stdout.splitlines()[-1]


def test_it_has_a_name_of_its_own_its_licence_and_all_that_is_served(wheel: Path) -> None:
    assert wheel.name == f"landfall_graphql-{VERSION}-py3-none-any.whl"
    information = f"landfall_graphql-{VERSION}.dist-info"
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        told = HeaderParser().parsestr(files.read(f"{information}/METADATA").decode())
        licence = files.read(f"{information}/licenses/LICENSE").decode()
    assert (told["Name"], told["Version"], told["License-Expression"]) == (
        "landfall-graphql",
        VERSION,
        "Apache-2.0",
    )
    assert licence == (ROOT / "LICENSE").read_text()
    assert licence.strip().startswith("Apache License\n")
    assert "END OF TERMS AND CONDITIONS" in licence
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    ours = {str(path.relative_to(ROOT)) for name in packages for path in _files(ROOT / name)}
    assert {name for name in names if not name.startswith(information)} == ours
    pages = {f"server/static/{page}/index.html" for page in ("app", "graphiql")}
    assert pages | {"schema/schema.graphql"} <= ours


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_its_command_runs_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """Its dependencies are those of this environment: nothing is downloaded."""
    venv.create(tmp_path / "own", with_pip=False)
    python = tmp_path / "own" / "bin" / "python"
    installed = subprocess.run(
        [
            *(Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--no-deps", "--offline"),
            *("--python", python, wheel),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert installed.returncode == 0, installed.stderr
    [packages] = (tmp_path / "own" / "lib").glob("python3*/site-packages")
    [borrowed] = [path for path in map(Path, sys.path) if path.name == "site-packages" and path.is_dir()]
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    done = subprocess.run(
        [tmp_path / "own" / "bin" / "landfall", "--version"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (f"Landfall {VERSION}\n", "")
    where = [python, "-c", "import server; print(server.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert Path(found.stdout.strip()).is_relative_to(packages)


def test_no_page_says_to_install_what_is_not_ours() -> None:
    """The name without an addition is another project's on PyPI."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in [*pages, *(ROOT / "server").rglob("*.py"), *(ROOT / "providers").rglob("*.py")]:
        said = re.findall(r"(?:pip install\s+\S*landfall\S*|\blandfall\[\w+\])", page.read_text())
        assert [each for each in said if not re.search("landfall[-_]graphql", each)] == [], page
