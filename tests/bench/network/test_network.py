"""The benches of the network on a tiny model: real processes, real transformers."""

import json
from pathlib import Path

import pytest

from pixread.bench.harness.report import Report
from pixread.bench.network.bench_config import BenchConfig, BenchEnvironment
from pixread.bench.network.encode import bench_encode
from pixread.bench.network.generate import GenerateCase, bench_generate, decode_step_costs, generate_cases
from pixread.bench.network.random_model import random_checkpoint
from pixread.bench.network.ratios import AS_IT_COMES, AT_ITS_BEST
from pixread.bench.network.train import bench_train
from pixread.bench.network.variants import MISSING, VARIANTS, select_variants
from pixread.checkpoints.folder import load
from tests.bench.conftest import Keep
from tests.conftest import Run

Found = dict[tuple[str, str], float]
AUTO, OURS, HALF, ROUNDED = (f"pixread {dtype}" for dtype in ("auto", "float32", "bfloat16", "int8"))
PLAIN, BEST = "transformers as it comes", "transformers float32, cached"


def medians(report: Report, case: str) -> Found:
    return {(figure.variant, figure.name): figure.median for figure in report.figures if figure.case == case}


def check_ratios(found: Found, name: str, bare: str, *, theirs: list[str]) -> None:
    """The ratios are those of the medians in the same table."""
    for ours in (OURS, ROUNDED):
        if (ours, name) in found:
            times = [found[one, name] for one in theirs]
            assert found[ours, f"{bare}, {AT_ITS_BEST}"] == pytest.approx(min(times) / found[ours, name])
            roofline, share = found[ours, f"roofline of {name}"], found[ours, f"{bare}, share of the roofline's speed"]
            assert share == pytest.approx(roofline / found[ours, name])


def test_generate(tiny: BenchConfig, keep: Keep, tmp_path: Path):
    keep(OURS, ROUNDED, PLAIN, BEST)
    report = bench_generate(tiny, batch_sizes=(1, 3), patches=(30,), tokens=24, beams=(2,))
    assert list(dict.fromkeys(figure.case for figure in report.figures)) == [
        "1 picture of 30 patches, 24 tokens",
        "1 picture of 30 patches, 2 beams, 6 tokens",
        "3 pictures of 30 patches, 6 tokens",
        "3 pictures of 30 patches, 4 to 12 tokens",
        "loading",
    ]
    for case, rows, theirs in (
        ("1 picture of 30 patches, 24 tokens", 1, [PLAIN, BEST]),
        ("3 pictures of 30 patches, 6 tokens", 3, [BEST]),
        ("1 picture of 30 patches, 2 beams, 6 tokens", 1, [BEST]),
        ("3 pictures of 30 patches, 4 to 12 tokens", 3, [BEST]),
    ):
        found = medians(report, case)
        assert found[OURS, f"rows with the ids of {BEST}, of {rows}"] == rows
        if (OURS, "a step (ms)") in found and all((one, "a step (ms)") in found for one in theirs):
            check_ratios(found, "a step (ms)", "a step", theirs=theirs)
        assert found[OURS, "peak memory (MiB)"] > 50
    whole = medians(report, "1 picture of 30 patches, 24 tokens")
    assert 0 < whole[OURS, "encoding (s)"] < whole[OURS, "whole read (s)"]
    speed = whole[PLAIN, "whole read (s)"] / whole[OURS, "whole read (s)"]
    assert whole[OURS, f"whole read, {AS_IT_COMES}"] == pytest.approx(speed)
    error = f"error of the logits against {BEST}"
    assert whole[OURS, error] < 1e-5 < whole[ROUNDED, error] < 0.05
    told = json.loads(report.write(tmp_path).read_text())
    assert told["about"]["rates"]["bandwidth"] > 0
    assert told["about"]["setting"]["size"] == "tiny"
    assert {"torch", "transformers"} <= told["machine"]["versions"].keys()


def test_encode(tiny: BenchConfig, keep: Keep):
    keep(OURS, PLAIN)
    report = bench_encode(tiny, batch_sizes=(2,), patches=(20,))
    assert "random weights, size tiny; cpu, 1 threads" in report.notes
    for case in ("2 pictures of 20 patches", "2 pictures of 10 to 20 patches"):
        found = medians(report, case)
        check_ratios(found, "encoding (s)", "encoding", theirs=[PLAIN])
        assert found[OURS, "pictures/s"] == pytest.approx(2 / found[OURS, "encoding (s)"], rel=0.5)


def test_train(tiny: BenchConfig, keep: Keep):
    """Both sides begin with the same weights, the same batch and the same loss."""
    keep(OURS, PLAIN)
    found = medians(bench_train(tiny, batch_sizes=(2,), patches=(20,), tokens=5), "2 pictures of 20 patches, 5 tokens")
    assert found[OURS, f"loss of the first step, relative difference from {PLAIN}"] < 1e-5
    assert found[OURS, "loss of the first step"] > 1
    check_ratios(found, "a step (s)", "a step", theirs=[PLAIN])


def test_without_transformers_ours_is_still_measured(
    tiny: BenchConfig, keep: Keep, no_transformers: None, run: Run, tmp_path: Path
):
    keep(OURS, PLAIN)
    options = "--size tiny --patches 20,30 --batch-sizes 1 --repeats 1 --threads 1 --device cpu"
    ended = run("bench", "encode", *options.split(), "--out", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert OURS in ended.out
    assert PLAIN not in ended.out
    assert MISSING in " ".join(ended.out.split())
    told = json.loads((tmp_path / "encode.json").read_text())
    assert {figure["variant"] for figure in told["figures"]} == {OURS}
    cases_ = {figure["case"] for figure in told["figures"]}
    assert cases_ == {"1 picture of 20 patches", "1 picture of 30 patches", "loading"}
    assert not [figure for figure in told["figures"] if "times transformers" in figure["name"]]


def test_variants_are_chosen_by_dtype():
    assert [one.name for one in select_variants("generate", dtypes=("bfloat16",)) if one.side == "pixread"] == [HALF]
    assert [one.name for one in select_variants("encode") if one.side == "pixread"] == [AUTO, OURS, HALF, ROUNDED]
    assert ROUNDED not in [one.name for one in select_variants("encode", device="cuda")]
    with pytest.raises(ValueError, match=r"^the train bench has no variant in 'int3'; choose from float32, bfloat16$"):
        select_variants("train", dtypes=("float32", "int3"))


@pytest.mark.parametrize("bench", ["generate", "encode", "train"])
def test_every_bench_has_pixread_and_transformers_as_it_comes(bench: str):
    """Names are columns, so they are unique in a table; there is one truth at most to compare with."""
    there = [one for one in VARIANTS if bench in one.benches]
    assert {one.side for one in there} == {"pixread", "default", "peer"}
    assert len({one.name for one in there}) == len(there)
    assert sum(one.reference for one in there) <= 1


def test_random_model_is_made_once_and_never_ends(tiny: BenchConfig):
    folder = random_checkpoint("tiny")
    made = (folder / "model.safetensors").stat().st_mtime_ns
    assert random_checkpoint("tiny") == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == made
    model = load(folder).model
    assert not model.decoder.head.weight[model.config.eos].any()
    with pytest.raises(ValueError, match=r"^no model size 'huge'; the sizes are nano, base, large$"):
        random_checkpoint("huge")


def test_cases_of_decoding():
    """The single picture writes all tokens, the others a quarter; mixed lengths end at half and share one batch."""
    made = list(generate_cases(batch_sizes=(1, 4), patches=(9,), tokens=16, beams=(1, 4)))
    assert [(one.rows, one.beams, one.lengths) for one in made] == [
        (1, 1, [16]),
        (1, 4, [4]),
        (4, 1, [4] * 4),
        (4, 1, [2, 4, 6, 8]),
    ]


def test_rows_that_have_ended_need_no_more_work(tiny: BenchConfig):
    """Lengths 2 and 4: the step after the first is done for both rows, the two after that for one."""
    config = load(random_checkpoint("tiny")).config
    environment = BenchEnvironment(bench_config=tiny, folder=Path(), config=config, device="cpu", threads=1, rates=None)  # type: ignore[arg-type]
    case = GenerateCase(rows=2, patches=5, tokens=4, mixed=True)
    variant = select_variants("generate", dtypes=("float32",))[0]
    work = list(decode_step_costs(case, variant, environment))
    assert len(work) == 3
    assert work[0].operations > 1.9 * work[1].operations
    assert work[2].operations > work[1].operations


def test_single_tokens_have_no_steps():
    with pytest.raises(ValueError, match="at least 2 tokens, got 1"):
        bench_generate(BenchConfig(), tokens=1)


@pytest.mark.parametrize(
    ("options", "sentence"), [({"repeats": 0}, "at least 1 repeat, got 0"), ({"threads": -1}, "at least 0, got -1")]
)
def test_settings_that_make_no_sense(options: dict[str, int], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        BenchConfig(**options)  # type: ignore[arg-type]
