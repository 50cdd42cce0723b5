"""The HTML report of a benchmark, in a real browser."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.tooling.bench.records import record, start
from tests.tooling.report.browser import CONTRAST, browser, require_browser, show
from wrapkit.tooling.report import bench_page

VARIANTS = {"bare": 0, "internal": 4.0, "both": 20.0, "opentelemetry-lambda": 640.0}
HOSTILE = '<script>alert("x")</script>'


def made(*, hostile=""):
    """Four variants at two memory sizes, one of them with a name that breaks no layout."""
    starts = []
    for number in range(12):
        for memory_mb in (128, 1769):
            for variant, added in VARIANTS.items():
                measures = {
                    "init_ms": 90.0 + number + added,
                    "first_billed_ms": 100 + added,
                    "warm_response_ms": 0.3 + added / 1000,
                    "warm_billed_ms": 1.4,
                    "max_memory_used_mb": 15 + (11 if added else 0),
                    "spans": 0 if variant == "bare" else 4,
                    "usd_per_million": 0.2042 + added / 1e4,
                }
                if variant != "bare":
                    measures["wrapkit.ready_ms"] = 20.0
                starts.append(start(number, variant, measures, memory_mb))
    inspections = {
        "bare": {"measures": {"modules_imported": 90, "layers_unpacked_mb": 0}},
        "both": {
            "measures": {"modules_imported": 102, "layers_unpacked_mb": 1.1},
            "problems": {"files_opened": "fanotify: not permitted"},
        },
    }
    return record(
        starts,
        inspections=inspections,
        scenario={"handler": "app.handler" + hostile},
        machine={"cpu_model": "a processor" + hostile},
    )


class Outline(HTMLParser):
    """The elements that load something, and those that were never closed."""

    VOID = frozenset({"meta", "link", "br", "rect"})

    def __init__(self):
        super().__init__()
        self.sources, self.open = [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.sources += [values[name] for name in ("src", "href") if name in values]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in self.VOID or self.open.pop() == tag


def test_the_page_is_one_file_without_a_script_and_well_formed():
    page = bench_page(made())
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert all(source.startswith(("#", "data:")) for source in outline.sources)
    assert "<script" not in page
    assert "url(" not in page


def test_what_it_costs_comes_first():
    text = re.sub(r"<[^>]+>", " ", bench_page(made()).partition("<main>")[2])
    sentence = (
        "With both, a cold start takes 20.0 ms longer (20.0 to 20.0), a warm response takes "
        "0.02 ms longer (0.02 to 0.02), Max Memory Used is 11 MB more and a million invocations "
        "cost $0.0020 more, at 1% cold starts."
    )
    assert sentence in text
    assert text.index(sentence) < 200


def test_names_of_other_people_are_text():
    page = bench_page(made(hostile=HOSTILE))
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "cost.html"
    path.write_text(bench_page(made()))
    return path


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    require_browser()
    with browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


def test_the_page_renders_without_a_word_on_the_console_and_without_the_network(driver, page):
    show(driver, page)
    assert driver.title == "What instrumentation costs noop"
    assert driver.execute_script("return document.querySelectorAll('svg rect').length") > 200
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert driver.get_log("browser") == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_is_wider_than_the_window(driver, page, width):
    """Wide tables scroll within themselves; no drawing is too thin to be seen."""
    show(driver, page, width=width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    outside = driver.execute_script(
        "return [...document.querySelectorAll('main *:not(.scroll *):not(svg *)')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.tagName + '.' + e.className)"
    )
    assert outside == []
    narrow = driver.execute_script(
        "return Math.min(...[...document.querySelectorAll('.plot svg')]"
        ".map(e => e.getBoundingClientRect().width))"
    )
    assert narrow >= 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(driver, page, scheme):
    show(driver, page, scheme=scheme)
    driver.execute_script("document.querySelectorAll('details').forEach(e => e.open = true)")
    texts, faint = driver.execute_script(CONTRAST)
    assert texts > 300
    assert faint == []
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background))) < 200) == (scheme == "dark")


def test_the_keyboard_reaches_everything_that_can_be_used(driver, page):
    show(driver, page, width=360)
    wanted = driver.execute_script(
        "const all = [...document.querySelectorAll('a[href], summary, [tabindex]')]"
        ".filter(e => e.tagName == 'SUMMARY' || !e.closest('details'));"
        "all.forEach((e, n) => e.dataset.n = n); return all.length"
    )
    seen = set()
    for _ in range(wanted + 5):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        reached = driver.execute_script(
            "const e = document.activeElement;"
            "return [e.dataset.n, getComputedStyle(e).outlineStyle]"
        )
        if reached[0] is not None:
            assert reached[1] != "none"
            seen.add(reached[0])
    assert len(seen) == wanted
    summary = driver.find_element("css selector", "details summary")
    driver.execute_script("arguments[0].focus()", summary)
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    assert driver.execute_script("return document.querySelector('details').open")


def test_drawings_are_described_in_words(driver, page):
    show(driver, page)
    labels = driver.execute_script(
        "return [...document.querySelectorAll('svg')].map(e => e.getAttribute('aria-label'))"
    )
    assert all(labels)
    assert any("bare: median 95.5 ms" in label for label in labels)
    headings = driver.execute_script(
        "return [...document.querySelectorAll('h1, h2')].map(e => e.textContent)"
    )
    assert headings[1:] == [
        "Figures",
        "Every cold start",
        "Every warm invocation",
        "From Init to Shutdown",
        "Money",
        "Method",
    ]


def test_paper_shows_all_of_it(driver, page):
    """What is folded on the screen, too; and nothing is cut off at the edge."""
    show(driver, page, width=750, medium="print")
    hidden = driver.execute_script(
        "return [...document.querySelectorAll('details table, details dl')]"
        ".filter(e => e.getBoundingClientRect().height < 20).length"
    )
    assert hidden == 0
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 750
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")
