"""The report: what it says, that nothing in it is code of others, that it needs nothing from outside."""

from __future__ import annotations

import base64
import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mixrd.analysis import AbsoluteResult, Analysis, AnalysisWarning, TextureResult, UnexplainedResult
from mixrd.analysis.result.second_opinion import SecondOpinion
from mixrd.report.html import MOST_PLOTS, PAPER, analysis_report
from mixrd.warning_texts import warning_texts

REPOSITORY = Path(__file__).resolve().parents[2]
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}'


class Page(HTMLParser):
    """Tags with attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "script" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def _hostile(analysis: Analysis) -> Analysis:
    phase = dataclasses.replace(analysis.phases[0], name=HOSTILE, formula=HOSTILE)
    provenance = {
        **analysis.provenance,
        "instrument": HOSTILE,
        "radiation": HOSTILE,
        "scan_format": HOSTILE,
        "instrument_settings": {"note": HOSTILE},
        "structures": {HOSTILE: {"source": HOSTILE, "space_group": HOSTILE, "notes": [HOSTILE]}},
    }
    lines = ({"two_theta_deg": 30.0, "d_spacing_angstrom": 3.0, "area_share": 0.1, "remark": ""},)
    return dataclasses.replace(
        analysis,
        file=HOSTILE,
        phases=(phase, *analysis.phases[1:]),
        warnings=(AnalysisWarning("UNEXPLAINED_LINES", HOSTILE, HOSTILE), AnalysisWarning(HOSTILE, HOSTILE)),
        provenance=provenance,
        hump_shares={HOSTILE: 0.1},
        unexplained=UnexplainedResult(0.1, lines, (HOSTILE,)),
        curves=None,
    )


@pytest.mark.parametrize("count", [1, 3])
def test_what_others_wrote_is_text_and_nothing_else(make_analysis, count: int) -> None:
    failed = Analysis("failed", HOSTILE, (), None, None, None, None, {}, (), HOSTILE, {})
    results = [(HOSTILE, _hostile(make_analysis())), (HOSTILE, failed), (HOSTILE, _hostile(make_analysis()))]
    page = Page(analysis_report(results[:count], title=HOSTILE, date=HOSTILE))
    assert page.unbalanced == [] and page.open == []
    assert "alert(1)" in page.text and "{{ 7*7 }}" in page.text
    assert len(page.named("script")) == (count > 1)
    assert page.named("img") == []
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]


@pytest.mark.parametrize("count", [1, 2])
def test_nothing_is_loaded_from_outside(make_analysis, count: int) -> None:
    text = analysis_report([("a", make_analysis()), ("b", make_analysis())][:count])
    page = Page(text)
    for tag, attributes in page.tags:
        for key in ("src", "srcset", "data", "poster", "action", "background"):
            assert (attributes.get(key) or "data:").startswith("data:"), (tag, key)
        if "href" in attributes:
            assert tag == "a"
    assert {tag for tag, _ in page.tags}.isdisjoint({"link", "iframe", "object", "embed", "base", "form"})
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp|WebSocket|import\(", text)


def test_plot_is_a_picture_inside(make_analysis) -> None:
    image = Page(analysis_report([("a", make_analysis())])).named("img")[0]
    kind, data = str(image["src"]).split(",", 1)
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert "made-up.xy" in str(image["alt"])


def test_given_pictures_are_taken(make_analysis) -> None:
    text = analysis_report([("a", make_analysis(curves=None))], plots={"a": b"picture"})
    assert base64.b64encode(b"picture").decode() in text


def test_numbers_come_through(make_analysis) -> None:
    phases = make_analysis(2).phases
    first = dataclasses.replace(
        phases[0],
        weight_percent=37.25,
        sigma_percent=0.41,
        interval_percent=(36.58, 37.92),
        detection_limit_percent=0.234,
        quantification_limit_percent=0.59,
        detected=True,
        cell_sigma=(0.0012, 0.0012, 0.0031, 0.0, 0.0, 0.0),
        crystallite_size_sigma_nm=12.0,
        texture=TextureResult((0, 0, 1), 0.834, 0.012),
        linear_attenuation_per_mm=12.44,
        mass_attenuation_cm2_g=31.2,
    )
    second = dataclasses.replace(phases[1], weight_percent=0.0, detected=False, detection_limit_percent=0.31)
    analysis = make_analysis(phases=2, interval_level=0.9, background_degree=7, curves=None)
    analysis = dataclasses.replace(analysis, phases=(first, second))
    page = Page(analysis_report([("a", analysis)]))
    for expected in (
        "37.25 ± 0.41", "36.6 to 37.9", "0.23", "0.59", "4.7592(12)", "12.992(3)", "152(12)",
        "r = 0.834(12) along 0 0 1", "12.4", "31.2", "< 0.31", "9.12 %", "7.76 %", "1.18", "degree 7",
        "+0.0123", "-0.0500 mm", "90 % interval",
    ):  # fmt: skip
        assert expected in page.text, expected
    assert "about 37 % phase-0" in page.text
    assert "Looked for and not found: phase-1 (it would be noticed from 0.31 % on)" in page.text


def test_tables_say_what_their_cells_are(make_analysis) -> None:
    page = Page(analysis_report([("a", make_analysis()), ("b", make_analysis())]))
    assert all(th.get("scope") in ("col", "row") for th in page.named("th"))
    assert page.named("html")[0]["lang"] == "en"
    assert all(image.get("alt") for image in page.named("img"))
    assert all(figure.get("aria-label") for figure in page.named("figure") if figure.get("role") == "img")


@pytest.mark.parametrize("code", sorted(warning_texts()))
def test_every_warning_says_what_it_means_and_what_to_do(make_analysis, code: str) -> None:
    warning = AnalysisWarning(code, "the message of this scan", "phase-1")
    text = warning_texts()[code]
    for results in ([("a", make_analysis(warnings=(warning,), curves=None))] * n for n in (1, 2)):
        page = Page(analysis_report(results))
        assert "the message of this scan" in page.text
        assert _words(text.meaning) in _words(page.text)
        assert _words(text.remedy) in _words(page.text)


def _words(text: str) -> str:
    """Without what marking adds or takes: backticks, and spaces around tags."""
    return re.sub(r"[\s`_]", "", text)


@pytest.mark.parametrize(
    ("codes", "trust", "said"),
    [
        ((), "good", "No doubts"),
        (("REVERSED",), "good", "No doubts"),
        (("TEXTURE",), "doubt", "1 doubt was"),
        (("TEXTURE", "TEXTURE", "MICROABSORPTION"), "doubt", "2 doubts were"),
        (("WRONG_WAVELENGTH", "TEXTURE"), "stop", "cannot be used"),
        (("UNHEARD_OF",), "doubt", "1 doubt was"),
    ],
)
def test_the_first_lines_say_whether_to_rely_on_it(make_analysis, codes, trust: str, said: str) -> None:
    analysis = make_analysis(warnings=tuple(AnalysisWarning(c, "m") for c in codes), curves=None)
    page = Page(analysis_report([("a", analysis)]))
    boxes = [str(a["class"]) for a in page.named("p") if "trust" in str(a.get("class"))]
    assert boxes == [f"trust {trust}"]
    assert said in page.text


def test_whole_sample_with_its_amorphous_part_comes_first(make_analysis) -> None:
    whole = AbsoluteResult(
        "internal standard", {"phase-0": 30.0, "phase-1": 45.0}, {"phase-0": 0.5, "phase-1": 0.6}, 25.0, 1.4
    )
    page = Page(analysis_report([("a", make_analysis(2, absolute=whole, warnings=(), curves=None))]))
    assert (
        "the sample before the standard was added is about 45 % phase-1, 30 % phase-0 and 25 % amorphous"
        in page.text
    )
    assert "25.0 ± 1.4" in page.text
    assert page.text.index("25.0 ± 1.4") < page.text.index("of the crystalline part")


def test_a_second_opinion_stands_beside_ours(make_analysis) -> None:
    analysis = make_analysis()
    first, *others = analysis.phases
    opinion = SecondOpinion(
        "rietx",
        "1.10.0",
        {p.name: 12.5 for p in analysis.phases},
        {first.name: 0.25},
        {p.name: -2.34 for p in analysis.phases},
        0.0871,
        14.0,
        HOSTILE,
    )
    refined = (dataclasses.replace(first, apparent_percent=30.12, sigma_percent=0.5), *others)
    asked = dataclasses.replace(analysis, phases=refined, second_opinion=opinion)
    page = Page(analysis_report([("a", asked)]))
    assert "30.12 ± 0.50" in page.text and "12.50 ± 0.25" in page.text and "-2.3" in page.text
    assert "8.71 %" in page.text and HOSTILE in page.text and not page.unbalanced
    refused = dataclasses.replace(opinion, weight_percent={}, remark="it diverged")
    batch = [(name, dataclasses.replace(asked, second_opinion=refused)) for name in ("a", "b")]
    assert "found no usable answer: it diverged" in Page(analysis_report(batch)).text
    assert "A second opinion" not in Page(analysis_report([("a", analysis)])).text


def test_regions_left_out_are_told(make_analysis) -> None:
    analysis = make_analysis()
    prepared = {**analysis.provenance, "preparation": {"excluded_deg": [[43.5, 46.0], [64.0, 66.0]]}}
    page = Page(analysis_report([("a", dataclasses.replace(analysis, provenance=prepared))]))
    assert "left out of the fit 2θ 43.5 to 46°, 2θ 64 to 66°" in page.text


def test_network_alone_is_called_an_estimate(make_analysis) -> None:
    analysis = make_analysis(r_wp=None, r_exp=None, curves=None, warnings=())
    page = Page(analysis_report([("a", analysis)]))
    assert "A network estimates" in page.text and "not refined" in page.text
    assert "R wp" not in page.text and page.named("img") == []


def test_result_of_an_older_version_without_structures(make_analysis) -> None:
    page = Page(analysis_report([("a", make_analysis(provenance={}, curves=None))]))
    assert "Structures that" not in page.text
    assert "100" in page.text


def test_a_report_needs_a_result() -> None:
    with pytest.raises(ValueError, match="at least one"):
        analysis_report([])


def test_batch_has_a_row_for_each_scan_and_reasons_of_failures(make_analysis, failed_analysis) -> None:
    results = [("one", make_analysis(2)), ("two", failed_analysis), ("three", make_analysis(3))]
    page = Page(analysis_report(results))
    assert "2 scans were analysed. 1 could not be" in page.text
    assert "failed: no data. Export it again" in page.text
    assert [a["id"] for a in page.named("details")] == ["scan-1", "scan-2", "scan-3"]
    links = [a["href"] for a in page.named("a") if str(a["href"]).startswith("#")]
    assert links == ["#scan-1", "#scan-2", "#scan-3"]
    assert "phase-2" in page.text


def test_batch_shows_so_many_plots_and_no_more(make_analysis) -> None:
    count = MOST_PLOTS + 3
    results = [(f"s{i}", make_analysis(2, curves=None)) for i in range(count)]
    page = Page(analysis_report(results, plots={name: b"png" for name, _ in results}))
    assert len(page.named("img")) == MOST_PLOTS
    assert len(page.named("details")) == count


def test_batch_of_one_instrument_states_it_once(make_analysis) -> None:
    def of(machine: str) -> Analysis:
        return make_analysis(provenance={"mixrd": "0", "instrument": machine}, curves=None)

    same = Page(analysis_report([("a", of("ours")), ("b", of("ours"))])).text
    assert same.count("ours") == 1 and "for all scans" in same
    mixed = Page(analysis_report([("a", of("ours")), ("b", of("theirs"))])).text
    assert "for all scans" not in mixed and "theirs" in mixed


def test_citation_agrees_with_the_citation_file() -> None:
    cff = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    doi = re.search(r"doi: (\S+)", cff)
    assert doi is not None and PAPER["link"] == f"https://doi.org/{doi[1]}"
    for field in re.findall(r"(?:family-names|title|journal): \"?([^\"\n]+)", cff.split("references:")[1]):
        assert field in PAPER["text"]
