"""The built site in a browser: the ledger filters and opens, formulas are drawn, nothing is logged or fetched."""

import json
import shutil
from pathlib import Path

import pytest

SITE = Path(__file__).resolve().parents[2] / "docs" / "_build" / "html"
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}

pytestmark = [
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs Debian's chromium and chromium-driver"),
    pytest.mark.skipif(not (SITE / "index.html").exists(), reason="the site is not built: make docs"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    pytest.importorskip("selenium", reason="needs the extra docs")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for argument in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def visit(browser, page, width="desktop", scheme="light"):
    """Open a page from the disk, wait until its formulas are drawn."""
    from selenium.webdriver.support.wait import WebDriverWait

    browser.set_window_size(*WIDTHS[width])
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": WIDTHS[width][0], "height": WIDTHS[width][1], "deviceScaleFactor": 1, "mobile": width == "phone",
    })  # fmt: skip
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    name, _, place = page.partition("#")
    assert (SITE / name).is_file(), name
    browser.get((SITE / name).as_uri() + (f"#{place}" if place else ""))
    WebDriverWait(browser, 60).until(
        lambda b: b.execute_script(
            "return document.readyState === 'complete' && (!document.querySelector('.math')"
            " || (window.MathJax && MathJax.startup && MathJax.startup.promise"
            " && document.querySelectorAll('.math').length <= document.querySelectorAll('mjx-container').length))"
        )
    )


def complaints(browser):
    """What the console holds beside information."""
    return [entry for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}]


def fetched(browser):
    """The addresses that the page asked for, other than files of the disk."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))]


def shown(browser):
    """The claims that are to be seen: (id, verdict)."""
    return browser.execute_script(
        "return [...document.querySelectorAll('details.claim')].filter(c => c.checkVisibility())"
        ".map(c => [c.id, c.dataset.verdict])"
    )


def claims():
    """What the page should hold, from where the page takes it."""
    from docs.extensions.ledger_data import ledger

    return ledger().claims


def test_the_ledger_filters_by_owner_by_verdict_and_by_words(browser):
    known = claims()
    visit(browser, "ledger.html")
    assert sorted(name for name, _ in shown(browser)) == sorted(known)
    browser.find_element("css selector", "button[data-whose='paper']").click()
    paper = [name for name, claim in known.items() if claim.of_paper]
    assert sorted(name for name, _ in shown(browser)) == sorted(paper)
    for verdict in ("refuted", "proved-repaired", "not-run"):
        browser.find_element("css selector", f"button[data-verdict='{verdict}']").click()
        expected = sorted([name, verdict] for name in paper if known[name].entry.verdict == verdict)
        assert sorted(shown(browser)) == expected
        assert browser.find_element("css selector", ".filter output").text.startswith(f"{len(expected)} of ")
    for key in ("whose", "verdict"):
        browser.find_element("css selector", f"button[data-{key}='']").click()
    search = browser.find_element("css selector", ".filter input")
    search.send_keys("lemma-7")
    assert "lemma-7" in [name for name, _ in shown(browser)]
    assert len(shown(browser)) < len(known)
    search.send_keys(" no claim says this")
    assert shown(browser) == []
    assert browser.find_element("css selector", ".filter-nothing").is_displayed()
    assert complaints(browser) == []


def test_a_claim_shows_its_sentence_closed_and_opens_with_everything_that_is_known_of_it(browser):
    claim = claims()["lemma-6"].entry
    visit(browser, "ledger.html")
    entry = browser.find_element("id", "lemma-6")
    assert entry.find_element("css selector", ".claim-sentence").is_displayed()
    assert claim.verdict in entry.text
    assert "ASSUMPTIONS" not in entry.text
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", entry)
    entry.find_element("css selector", "summary").click()
    assert len(entry.find_elements("css selector", "li")) > len(claim.claim.assumptions) > 0
    for title in ("SOURCE", "CORRECTION", "ASSUMPTIONS", "EVIDENCE", "SEE"):
        assert title in entry.text
    assert all(result.detail in entry.text for result in claim.results if result.kind == "counterexample")
    assert len(entry.find_elements("css selector", "mjx-container svg")) >= 2
    assert "$" not in entry.text  # every formula is drawn

    link = entry.find_element("partial link text", "theory/claims/")
    visit(browser, link.get_attribute("href").removeprefix(SITE.as_uri() + "/"))
    line = browser.execute_script(
        "let node = document.querySelector(':target'), text = '';"
        "while ((node = node.nextSibling) && !text.includes('\\n')) text += node.textContent;"
        "return text.split('\\n')[0]"
    )
    assert '"lemma-6"' in line
    assert complaints(browser) == []


def test_a_link_to_a_claim_opens_it(browser):
    visit(browser, "ledger.html#theorem-2")
    assert browser.find_element("id", "theorem-2").get_attribute("open")


def test_rows_of_rates_are_closed_and_a_search_opens_those_that_fit(browser):
    visit(browser, "generated/rates.html")
    rows = "return [...document.querySelectorAll('details.filtered tbody tr')].filter(r => r.checkVisibility()).length"
    assert browser.execute_script(rows) == 0
    search = browser.find_element("css selector", ".filter input")
    search.send_keys("logistic EAdam")
    found = browser.execute_script(rows)
    assert 0 < found < 100
    assert f"{found} of" in browser.find_element("css selector", ".filter output").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", list(WIDTHS))
@pytest.mark.parametrize(
    "page",
    ["index.html", "method.html", "ledger.html", "notebooks/your-own.html", "use/choosing.html", "api/alto.html"],
)
def test_pages_are_quiet_offline_and_fit_the_screen(browser, page, width, scheme):
    visit(browser, page, width, scheme)
    assert complaints(browser) == []
    assert fetched(browser) == []
    # An error of MathJax is an element with this attribute; a formula that was not drawn has no svg.
    assert browser.find_elements("css selector", "[data-mjx-error], mjx-container:not(:has(svg))") == []
    paper, ink = browser.execute_script(
        "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        ".map(c => c.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) / 3)"
    )
    assert (paper > 200 and ink < 100) if scheme == "light" else (paper < 60 and ink > 180)


@pytest.mark.parametrize("width", list(WIDTHS))
@pytest.mark.parametrize(
    "page",
    [
        "index.html", "start.html", "ledger.html", "notation.html", "extending.html", "differences.html",
        "architecture.html", "use/choosing.html", "use/verdicts.html", "generated/rates.html",
        "generated/worst-case.html", "generated/figures/index.html", "notebooks/your-own.html",
    ],
)  # fmt: skip
def test_nothing_of_a_page_is_cut(browser, page, width):
    visit(browser, page, width)
    wide = browser.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    boxes = (
        "article pre" if width == "phone" and page.startswith("generated/") else "article pre, article .table-wrapper"
    )
    hidden = browser.execute_script(
        f"return [...document.querySelectorAll('{boxes}')].filter(e => e.checkVisibility() &&"
        " e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 80))"
    )
    assert hidden == []


def test_a_broken_formula_would_be_seen(browser):
    visit(browser, "index.html")
    found = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        r"MathJax.tex2svgPromise('\\nosuchmacro').then(n => done(n.querySelectorAll('[data-mjx-error]').length))"
    )
    assert found > 0
