"""axe-core's judgement of a page as it stands. The build hook's `npm ci` brings axe-core."""

from typing import Any

from playwright.async_api import Page

from tests.browser.stage import ROOT

AXE = ROOT / "consoles/ui/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def faults(page: Page) -> list[str]:
    """What stands against the page; empty when all is well."""
    if not await page.evaluate("'axe' in window"):
        # By DevTools and not by a script element: the page's policy lets no foreign script in.
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    assert len(found["passes"]) > 10
    return [
        f"{v['id']}: {node['html'][:120]} {node['failureSummary']}" for v in found["violations"] for node in v["nodes"]
    ]
