"""If these fail, the table of a campaign lacks something, or a query reaches what it must not."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from followme_uav.errors import DataError
from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.report import flight_table
from followme_uav.scenario.report.flight_table import columns, command_of, query, write_table
from tests.unit.campaign_parts import campaign, stub_flight

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("duckdb")
DOCS = Path(__file__).resolve().parents[2] / "docs/campaigns.md"


@pytest.fixture
def results(tmp_path):
    flown = [stub_flight(job, None).result for job in jobs_of(campaign(tmp_path))]
    return [replace(flown[0], crashed=True, success=False, metrics={}), *flown[1:]]


def test_parquet_has_all_columns_with_the_values_of_the_flights(tmp_path, results):
    write_table(tmp_path, results)
    table = parquet.read_table(tmp_path / "flights.parquet")
    assert table.column_names == [column.name for column in columns()]
    rows = table.to_pylist()
    assert [row["seed"] for row in rows] == list(range(1, 13))
    assert (rows[0]["outcome"], rows[0]["success"], rows[0]["tracked"]) == ("crashed", None, None)
    assert (rows[6]["outcome"], rows[6]["success"], rows[6]["tracked"]) == ("failed", False, 0.7)
    assert rows[3]["draw_weather"] == "clear" and rows[3]["code"] and rows[3]["config_sha256"]
    assert rows[3]["reacquire_s"] == []
    values = {name for name in rows[3] if rows[3][name] is not None}
    assert set(results[3].metrics) - values == {
        name for name, value in results[3].metrics.items() if value is None
    }


def test_docs_list_the_columns_with_type_and_meaning():
    lines = DOCS.read_text().splitlines()
    missing = [c for c in columns() if f"| `{c.name}` | {c.kind} | {c.meaning} |" not in lines]
    assert not missing, "\n".join(f"| `{c.name}` | {c.kind} | {c.meaning} |" for c in missing)


def test_query_answers(tmp_path, results):
    names, rows = query(
        results, tmp_path, "select outcome, count(*) as n from flights group by 1 order by 1"
    )
    assert (names, rows) == (["outcome", "n"], [("crashed", 1), ("failed", 1), ("passed", 10)])


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{secret}')",
        "select * from '{secret}'",
        "select content from read_text('{secret}')",
        "copy flights to '{out}'",
        "export database '{out}'",
        "attach '{out}' as other",
        "install httpfs",
        "load httpfs",
        "select * from 'http://127.0.0.1:9/x.csv'",
        "set enable_external_access = true",
        "set memory_limit = '1TB'",
        "select glob from glob('{folder}/*')",
        "select * from results",
        "select getenv('HOME')",
    ],
)
def test_query_reaches_no_file_no_network_and_no_setting(tmp_path, results, sql):
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    out = tmp_path / "out"
    with pytest.raises(DataError, match="campaign query: ") as error:
        query(results, tmp_path, sql.format(secret=secret, out=out, folder=tmp_path))
    assert "\n" not in str(error.value)
    assert not out.exists()


def test_query_that_needs_more_than_the_memory_leaves_nothing(tmp_path, results, monkeypatch):
    """DuckDB's own choice is a folder `.tmp` in the current one, without a limit."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(flight_table, "_QUERY_MEMORY", "60MB")
    sql = (
        "select current_setting('temp_directory'), current_setting('max_temp_directory_size'), "
        "count(*) from (select range from range(2_000_000) order by hash(range))"
    )
    _, [(folder, limit, rows)] = query(results, tmp_path, sql)
    assert Path(folder).is_absolute() and not Path(folder).exists()
    assert (limit, rows) == ("14.9 GiB", 2_000_000)
    assert not list(tmp_path.glob(".*"))


def test_wrong_query_is_one_line(tmp_path, results):
    with pytest.raises(DataError, match=r"campaign query: .*gone"):
        query(results, tmp_path, "select gone from flights")


@pytest.mark.parametrize("sql", ["", " ;; ", "-- select seed from flights"])
def test_empty_query_is_one_line(tmp_path, results, sql):
    with pytest.raises(DataError, match="campaign query: the query is empty"):
        query(results, tmp_path, sql)


def test_command_of_a_row_names_the_run_and_the_flight(results):
    words = shlex.split(command_of(results[2], Path("runs/my run")))
    assert words[:4] == ["followme-uav", "campaign", "run", "runs/my run"]
    assert words[words.index("--only") + 1] == results[2].id
    assert words[words.index("--out") + 1] == "runs/my run-one-seed3"


@pytest.mark.parametrize("folder", [".", "/"])
def test_run_in_a_folder_without_a_name_has_a_table(tmp_path, results, monkeypatch, folder):
    """`--out .` would otherwise end with an error after the last flight."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    out = tmp_path / "mine-one-seed3" if folder == "." else "one-seed3"
    assert command_of(results[2], Path(folder)).endswith(f"--out {out}")
    write_table(Path(), results)


def test_columns_of_one_name_are_all_kept(tmp_path, results):
    """JSON has each name once: a join would lose columns."""
    sql = "select a.seed, b.seed, 1 as seed_1 from flights a join flights b on a.seed = b.seed - 1"
    names, rows = query(results, tmp_path, f"{sql} order by 1")
    assert names == ["seed", "seed_1", "seed_1_1"]
    assert rows[0] == (1, 2, 1)


def test_query_that_is_no_text_is_one_line(tmp_path, results):
    """An argument of bytes that are not UTF-8 arrives with halves of characters."""
    with pytest.raises(DataError, match="campaign query: the query is no UTF-8 text"):
        query(results, tmp_path, "select '\udcff'")


@pytest.mark.parametrize(("name", "value"), [("people", "many"), ("style", 5)])
def test_draw_of_another_type_is_one_line(tmp_path, results, name, value):
    """The results may come from another version, or be damaged."""
    wrong = replace(results[1], draws={name: value})
    with pytest.raises(DataError, match="a value of another type") as found:
        write_table(tmp_path, [wrong])
    assert "\n" not in str(found.value)
