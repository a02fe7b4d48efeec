"""The page in a browser: quiet, on its own, as wide as the screen, legible on light and dark paper and in print."""

import pytest

from tests.browser.conftest import PAGES, unfold

pytestmark = pytest.mark.browser
EACH_PAGE = pytest.mark.parametrize("name", PAGES)
PHONE, LAPTOP = 390, 1440
TEXT_CONTRAST = 4.5

# The contrast of every visible text with the first opaque background behind it (WCAG 2.2, 1.4.3).
WEAK_TEXTS = """
([least]) => {
  const channels = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = channels(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const weak = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || element.closest("script, style, rect") || !element.getClientRects().length) continue;
    if (element.closest("svg")?.querySelector("rect[shape-rendering]")) continue;
    const style = getComputedStyle(element);
    const ink = channels(element.closest("svg") ? style.fill : style.color);
    const [a, b] = [luminance(ink), luminance(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least) weak.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return weak;
}
"""


@EACH_PAGE
@pytest.mark.parametrize("width", [PHONE, LAPTOP])
def test_page_is_no_wider_than_the_screen(show, name, width):
    """Nothing asks to be scrolled sideways, with every table open, on a phone and on a laptop."""
    page = show(name, width=width)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        "(w) => [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > w + 1 "
        "&& !e.closest('svg') && e.getClientRects().length).map((e) => e.className || e.tagName)",
        width,
    )
    assert wide == []


@EACH_PAGE
def test_the_first_screen_has_the_answer(show, name):
    """Before anything is scrolled, a laptop shows the aim, a sentence of the answer, and a picture or the runs."""
    page = show(name)
    for selector in ("h1", ".aim", ".lead-in p, .question p, .runs article p"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 900, selector
    first = page.locator("figure, .runs article").first.bounding_box()
    assert first["y"] < 300


@pytest.mark.parametrize(("width", "height"), [(PHONE, 844), (LAPTOP, 900)])
def test_every_question_is_found_within_two_screens(show, width, height):
    """Folded, the page has the lead, every question and the picture within two screens, and few screens in all."""
    page = show("simulated", width=width)
    for selector in (".lead-in", ".beside figure", *[f"details.question >> nth={i}" for i in range(4)]):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 2 * height, selector
    assert page.evaluate("document.documentElement.scrollHeight") <= 8 * height


def test_a_folded_section_opens_where_a_link_leads(show):
    """A click in the navigation opens the section and brings it to the top; an address with its name does too."""
    page = show("simulated")
    section = page.locator("#failures > details")
    assert section.get_attribute("open") is None
    page.locator("nav a[href='#failures']").click()
    page.wait_for_function("document.querySelector('#failures > details').open")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    assert page.locator("#failures > details").get_attribute("open") is not None


@EACH_PAGE
@pytest.mark.parametrize("width", [PHONE, LAPTOP])
def test_one_drawing_of_each_figure_shows(show, name, width):
    """Of the two drawings of a figure the one for the screen shows, as wide as its place allows and not cut."""
    page = unfold(show(name, width=width))
    for figure in page.locator("figure").all():
        shown = [svg for svg in figure.locator("svg").all() if svg.is_visible()]
        assert len(shown) == 1
        inner, outer = shown[0].bounding_box(), figure.bounding_box()
        assert outer["x"] <= inner["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]


@EACH_PAGE
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_legible(show, name, scheme):
    """Every text, in figures too, has a contrast of 4.5 to what is behind it; on maps the ink is chosen by cell."""
    page = unfold(show(name, color_scheme=scheme))
    assert page.evaluate(WEAK_TEXTS, [TEXT_CONTRAST]) == []


def test_dark_paper_is_dark_and_light_paper_light(show):
    """The page follows what the reader's system asks for."""
    colors = [
        show("simulated", color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    light, dark = (sum(map(int, color[4:-1].split(","))) for color in colors)
    assert light > 3 * 240
    assert dark < 3 * 40


@EACH_PAGE
def test_print_shows_content_alone(show, name):
    """On paper there are no buttons and no navigation, colors are light, figures stay, and short tables open."""
    page = show(name, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="light")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for selector in ("nav", ".tools", "footer", ".skip"):
        assert not any(element.is_visible() for element in page.locator(selector).all()), selector
    assert all(figure.is_visible() for figure in page.locator("figure").all())
    folded = page.evaluate("[...document.querySelectorAll('details:not([open]) tbody')].map((t) => t.rows.length)")
    assert all(rows > 30 for rows in folded)
    assert page.evaluate(WEAK_TEXTS, [TEXT_CONTRAST]) == []
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_a_keyboard_reaches_the_answer_first(show):
    """The first stop of the tabulator is the link that skips to the answer."""
    page = show("simulated")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the answer"
    page.keyboard.press("Enter")
    assert page.url.endswith("#answer")
