// Drives every view in Chromium. Each context (a language, a size) loads the page once, then goes from view to view by
// the page's own router, and looks at each in light and dark. Faults: an error on the console, a serious fault of accessibility, what is wider than a
// phone, words of the other language's key, a view that never fills.
import { readFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { BEHAVIOUR } from "./behaviour.mjs";
import { address, live, serve } from "./fixture.mjs";

const BROWSER = "/usr/bin/chromium";
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const PATIENCE = 30_000; // of a loaded machine; nothing here asserts a time
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [
	"/", "/trend", "/trend?range=28d&sensor=sin-1&show=table", "/ports", "/ports/tcp/2323?range=7d", "/sources?tool=mirai", `/sources/${address(0)}`,
	"/networks", "/networks/64510", "/countries/VN", "/sensors", "/search?q=23", "/about", "/no-such-view",
];
const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

const faults = [];
let checks = 0;
const fault = (where, what) => void faults.push(`${where}: ${what}`);
function check(where, what, holds) {
	checks++;
	if (!holds)
		fault(where, what);
}

async function filled(page) {
	await page.waitForFunction(() => document.querySelector("main section") && !document.querySelector("tr.blank .block, .big.waits, [data-waits]"), null, { timeout: PATIENCE });
}

// The page follows the system's theme while it is open.
async function coloured(page, colorScheme, background) {
	await page.emulateMedia({ colorScheme });
	await page.waitForFunction(want => getComputedStyle(document.body).backgroundColor === want, background, { timeout: PATIENCE });
}

async function accessible(page, where, runOnly) {
	const found = await page.evaluate(only => globalThis.axe.run(document, { resultTypes: ["violations"], runOnly: only }), runOnly);
	checks++;
	for (const v of found.violations)
		if (v.impact === "serious" || v.impact === "critical")
			fault(where, `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 140)).join(" | ")}`);
}

async function inspect(page, where, phone) {
	await coloured(page, "light", "rgb(255, 255, 255)");
	await accessible(page, `${where} light`, { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
	await coloured(page, "dark", "rgb(16, 19, 23)");
	await accessible(page, `${where} dark`, { type: "rule", values: ["color-contrast"] }); // all that colours change
	const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	check(where, `${over} pixels too wide`, over <= 0);
	check(where, "no answer in its first line", (await page.locator("main h1").first().innerText()).trim().length > 2);
	if (phone)
		return;
	const odd = await page.evaluate(() => document.body.innerText.match(/undefined|NaN|\[object|Invalid Date/)?.[0]);
	check(where, `shows ${odd}`, !odd);
}

async function opened(browser, fixture, { lang, size }) {
	const context = await browser.newContext({
		viewport: SIZES[size], hasTouch: size === "phone", colorScheme: "light", locale: lang === "ja" ? "ja-JP" : "en-GB", timezoneId: "Asia/Tokyo",
	});
	context.setDefaultTimeout(PATIENCE);
	const page = await context.newPage(), where = { at: "" };
	page.on("console", m => m.type() === "error" && !(where.failing && /503|CHUNKED|REFUSED/.test(m.text())) && fault(where.at, `console: ${m.text()} ${m.location().url}`));
	page.on("request", r => new URL(r.url()).port !== String(fixture.port) && fault(where.at, `asks elsewhere: ${r.url()}`));
	page.on("pageerror", e => fault(where.at, `exception: ${e.message}`));
	return { context, page, where, base: `http://127.0.0.1:${fixture.port}` };
}

async function tour(browser, fixture, look) {
	const { context, page, where, base } = await opened(browser, fixture, look), name = `${look.lang} ${look.size}`;
	where.at = name;
	await page.goto(base + "/");
	await filled(page);
	const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
	await page.evaluate(AXE);
	for (const view of VIEWS) {
		where.at = `${view} ${name}`;
		await page.evaluate(href => { history.pushState(null, "", href); dispatchEvent(new PopStateEvent("popstate")); }, view);
		await filled(page);
		await inspect(page, where.at, look.size === "phone");
	}
	check(name, "the document's language", (await page.evaluate(() => document.documentElement.lang)) === look.lang);
	await context.close();
	return paint;
}

async function behave(browser) {
	const fixture = await serve(0, { scene: "full" });
	for (const [name, act] of Object.entries(BEHAVIOUR)) {
		fixture.state.scene = "full";
		const { context, page, where, base } = await opened(browser, fixture, { lang: "en", size: "desk" });
		Object.assign(where, { at: name, failing: true });
		checks++;
		try {
			await page.goto(base + "/");
			await page.locator("main section").first().waitFor();
			const wrong = await act(page, fixture, live);
			if (wrong)
				fault(name, wrong);
		} catch (e) {
			fault(name, String(e.message).split("\n")[0] + " at " + page.url());
		}
		await context.close();
	}
	await fixture.close();
}

async function main() {
	if (!existsSync(BROWSER)) {
		console.log("SKIP: no chromium");
		return 77;
	}
	const fixture = await serve(0, { scene: "full" });
	const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
	const looks = ["en", "ja"].flatMap(lang => ["desk", "phone"].map(size => ({ lang, size })));
	const paints = [];
	const walker = async () => {
		for (let look = looks.shift(); look; look = looks.shift())
			paints.push(await tour(browser, fixture, look));
	};
	await Promise.all([walker(), walker(), behave(browser)]);
	await browser.close();
	await fixture.close();
	paints.sort((a, b) => a - b);
	console.log(`first paint: median ${Math.round(paints[paints.length >> 1])} ms, most ${Math.round(paints.at(-1))} ms (printed, not asserted)`);
	console.log([...new Set(faults)].slice(0, 60).join("\n") || `${checks} checks hold`);
	return faults.length ? 1 : 0;
}

process.exit(await main());
