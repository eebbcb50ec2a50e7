// Every view on made-up answers (fixture.mjs), in both languages, light and dark, on a desk and on a phone; and what the
// pages do (behaviour.mjs).
import { BEHAVIOUR } from "./behaviour.mjs";
import { address, attackBegan, live, serve, victim } from "./fixture.mjs";
import { check, fault, launch, looks, opened, report, tour } from "./tour.mjs";

const VIEWS = [
	"/",
	"/trend",
	"/trend?range=28d&sensor=sin-1&table=total,bands",
	"/trend?figure=2-19",
	"/trend?figure=2-20",
	"/ports",
	"/ports/tcp/2323?range=7d",
	"/sources?tool=mirai",
	`/sources/${address(0)}`,
	"/networks",
	"/networks/64510",
	"/countries/VN",
	"/attacks",
	"/attacks?range=7d&table=timeline,replies&sort=packets&verdict=undecided&country=US",
	"/attacks?definition=corsaro2&as=64500",
	`/attacks/${victim(0)}`,
	`/attacks/${victim(0)}/${attackBegan}`,
	`/attacks/${victim(0)}/2026-11-20T00:00:00Z`,
	"/attacks/203.0.113.1",
	"/infections",
	"/infections?range=7d&grade=B&table=steps",
	"/sensors",
	"/search?q=23",
	"/about",
	"/no-such-view",
];
const MEANT = /503|CHUNKED|REFUSED/; // failures that behaviour.mjs makes

async function behave(browser) {
	const fixture = await serve(0, { scene: "full" }),
		base = `http://127.0.0.1:${fixture.port}/`;
	for (const [name, act] of Object.entries(BEHAVIOUR)) {
		fixture.state.scene = "full";
		const { context, page, where } = await opened(browser, base, { lang: "en", size: "desk" }, MEANT);
		where.at = name;
		try {
			await page.goto(base);
			await page.locator("main section").first().waitFor();
			const wrong = await act(page, fixture, live);
			check(name, wrong, !wrong);
		} catch (e) {
			fault(name, `${String(e.message).split("\n")[0]} at ${page.url()}`);
		}
		await context.close();
	}
	await fixture.close();
}

const fixture = await serve(0, { scene: "full" }),
	browser = await launch(),
	left = looks();
async function walk() {
	for (let look = left.shift(); look; look = left.shift())
		await tour(browser, `http://127.0.0.1:${fixture.port}/`, look, VIEWS);
}
await Promise.all([walk(), walk(), behave(browser)]);
await browser.close();
await fixture.close();
process.exit(report());
