"""The page for everybody: keyboard, screen readers, eyes, widths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_browser import SECONDS, NewVisit, Visit
from playwright.sync_api import expect

_HERE = Path(__file__).parent
#: What a screen reader could not tell.
_FAULTS = (_HERE / "faults.js").read_text(encoding="utf-8")
#: Texts that do not stand out from their ground.
_CONTRAST = (_HERE / "contrast.js").read_text(encoding="utf-8")


def focused(me: Visit) -> str:
    """`#id` of what has the focus, else its text."""
    name = "(e) => e.id ? `#${e.id}` : e.textContent.trim()"
    return str(me.page.evaluate(f"({name})(document.activeElement)"))


def tab_to(me: Visit, wanted: str, most: int = 40) -> None:
    """Press Tab until this has the focus, which must then be seen."""
    for _ in range(most):
        me.page.keyboard.press("Tab")
        if focused(me) == wanted:
            ring = me.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring != "none", f"the focus on {wanted} is not seen"
            return
    raise AssertionError(f"{wanted} cannot be reached")


def unfold(me: Visit) -> None:
    """Open all that is folded away."""
    folded = me.page.locator("#setup details:not([open]) > summary:visible")
    while folded.count():
        folded.first.click()


@pytest.fixture
def example(visit: NewVisit) -> Visit:
    """The example, chosen."""
    me = visit().open()
    me.page.click("text=Take the example")
    expect(me.page.locator("#run-summary")).to_contain_text("Ready")
    return me


@pytest.mark.slow
def test_from_the_first_key_to_the_result(visit: NewVisit, scan_file: Path) -> None:
    me = visit().open()
    page = me.page
    # Whoever listens from now on is listening when Enter is pressed; expect_file_chooser alone may come late.
    page.on("filechooser", lambda _: None)
    page.keyboard.press("Tab")
    assert focused(me) == "Skip to the content"
    tab_to(me, "#scan-drop")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(str(scan_file))
    page.locator("#scan-list .scan").wait_for()
    tab_to(me, "#phase-search")
    for name in ("fluorite", "halite"):
        page.keyboard.type(name)
        expect(page.locator("#phase-option-0")).to_contain_text(name)
        page.keyboard.press("Enter")
    expect(page.locator("#phase-chosen .chip")).to_have_count(2)
    tab_to(me, "#instrument-generic")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.is_checked("#instrument-lab-cu")
    assert focused(me) == "#instrument-lab-cu"
    tab_to(me, page.locator("#options-card > summary").inner_text().strip())
    page.keyboard.press("Enter")
    tab_to(me, "#method-both")
    page.keyboard.press("ArrowDown")
    assert page.is_checked("#method-refine")
    tab_to(me, "#run-start")
    page.keyboard.press("Enter")
    page.locator("#fractions").wait_for(timeout=SECONDS)
    expect(page.locator("#live")).to_contain_text("This sample is")
    tab_to(me, "#get-report")
    tab_to(me, "#fit")
    page.keyboard.press("s")
    expect(page.locator("text=Scale: linear")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_names_and_contrast(visit: NewVisit, scan_file: Path, dark: bool) -> None:
    me = visit(dark=dark).open()
    page = me.page
    assert page.evaluate("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    me.add_scans(scan_file)
    me.add_phases("fluorite", "corundum")  # a wrong phase, for the boxes of warnings
    me.choose()
    unfold(me)
    assert page.evaluate(_FAULTS) == []
    assert page.evaluate(_CONTRAST) == []
    me.run()
    page.locator("#fit canvas").first.wait_for(timeout=SECONDS)
    assert page.evaluate(_FAULTS) == []
    assert page.evaluate(_CONTRAST) == []
    me.picture(f"result-{'dark' if dark else 'light'}")


def test_the_theme_is_chosen_and_kept(visit: NewVisit) -> None:
    me = visit(dark=True).open()
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = me.page.evaluate(ground)
    expect(me.page.locator("#theme")).to_have_text("◐ Auto")
    me.page.click("#theme")
    expect(me.page.locator("#theme")).to_have_text("☀ Light")
    assert me.page.evaluate(ground) != dark
    me.page.reload()
    expect(me.page.locator("#theme")).to_have_text("☀ Light")
    me.page.click("#theme")
    assert me.page.evaluate(ground) == dark


@pytest.mark.parametrize("width", [1366, 820, 390])
def test_widths(visit: NewVisit, scan_file: Path, width: int) -> None:
    me = visit(width=width, height=900).open()
    me.add_scans(scan_file)
    me.add_phases("fluorite", "halite")
    unfold(me)
    assert me.page.evaluate("document.documentElement.scrollWidth") <= width
    me.picture(f"setup-{width}")
    me.page.locator("#jobs-card").scroll_into_view_if_needed()
    job = me.page.locator("#jobs .job-row a:has-text('mixture.xy')")
    if job.count():  # of the tests before
        job.first.click()
        me.page.locator("#fit canvas").first.wait_for()
        assert me.page.evaluate("document.documentElement.scrollWidth") <= width
        me.picture(f"result-{width}")


def test_on_paper(example: Visit) -> None:
    example.page.emulate_media(media="print")
    expect(example.page.locator("#run")).to_be_hidden()
    expect(example.page.locator(".top nav")).to_be_hidden()


def test_what_happens_is_announced(example: Visit) -> None:
    live = example.page.locator("#live")
    expect(live).to_have_attribute("aria-live", "polite")
    expect(live).to_contain_text("The example is chosen")
    example.add_phases("quartz")
    expect(live).to_have_text(re.compile("quartz chosen, 4 phases in all"))
    example.page.click("[aria-label='Remove quartz']")
    expect(live).to_have_text("quartz removed")
    expect(example.page.locator("#phase-search")).to_be_focused()
