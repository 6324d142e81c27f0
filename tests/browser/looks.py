"""One page as people see it, light and dark, on a phone and on a wide screen: what axe-core finds, and whether it fits.

https://github.com/dequelabs/axe-core/blob/develop/doc/API.md
"""

from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT

from .people import Person

PHONE, WIDE = (390, 844), (1280, 900)
# Two looks hold both schemes and both widths: contrast goes with the first, what is shown where with the second.
LOOKS: tuple[tuple[Literal["light", "dark"], tuple[int, int]], ...] = (("light", PHONE), ("dark", WIDE))
RUN = """async () => (await axe.run({
  resultTypes: ['violations'],
  rules: {'target-size': {enabled: true}},  // WCAG 2.2 AA; axe leaves it out unless asked
})).violations.flatMap(found => found.nodes.map(
  node => `${found.id}: ${node.target.join(' ')}: ${node.failureSummary}`))"""
# Nothing may stick out of the window; a box that scrolls by itself may hold what is wider.
TOO_WIDE = """() => {
  const wide = document.documentElement.clientWidth, boxed = element => element.closest('.kz-scroll, .kz-hidden');
  const out = [...document.querySelectorAll('body *')].filter(
    element => element.getBoundingClientRect().right > wide + 1 && !boxed(element));
  if (document.documentElement.scrollWidth > wide) out.push(document.documentElement);
  return out.map(element => `sticks out: <${element.localName} class="${element.getAttribute('class')}">`);
}"""


async def faults(person: Person, what: str) -> list[str]:
    """Everything that is wrong with the page that this person sees."""
    await person.page.evaluate(AXE_SCRIPT)
    found = []
    for scheme, (width, height) in LOOKS:
        await person.page.emulate_media(color_scheme=scheme)
        await person.page.set_viewport_size({"width": width, "height": height})
        wrong = await person.page.evaluate(RUN) + await person.page.evaluate(TOO_WIDE)
        found += [f"{what}, {scheme}, {width} px: {each}" for each in wrong]
    return found
