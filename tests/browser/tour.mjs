// What both tests of the pages share: a browser, a walk through views, and what is a fault there: an error on the console, a
// serious fault of accessibility, what is wider than the screen, a view without an answer, a question to another host.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const BROWSER = "/usr/bin/chromium";
const FLAGS = [
	"--headless",
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];
const PATIENCE = 60_000; // of a loaded machine; nothing here asserts a time
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

const faults = [],
	paints = [],
	views = [];
let checks = 0;

export const fault = (where, what) => void faults.push(`${where}: ${what}`);

export function check(where, what, holds) {
	checks++;
	if (!holds) fault(where, what);
}

// Prints what was found; the exit code. Times are printed, never asserted.
export function report() {
	const middle = list => Math.round([...list].sort((a, b) => a - b)[list.length >> 1] ?? 0);
	if (paints.length) console.log(`first paint ${middle(paints)} ms, a view ${middle(views)} ms (medians, printed alone)`);
	console.log([...new Set(faults)].slice(0, 60).join("\n") || `${checks} checks hold`);
	return faults.length ? 1 : 0;
}

export async function launch() {
	if (existsSync(BROWSER)) return chromium.launch({ executablePath: BROWSER, args: FLAGS });
	console.log("SKIP: no chromium");
	process.exit(77);
}

export async function opened(browser, base, { lang, size }, tolerated) {
	const context = await browser.newContext({
		viewport: SIZES[size],
		hasTouch: size === "phone",
		colorScheme: "light",
		locale: lang === "ja" ? "ja-JP" : "en-GB",
		timezoneId: "Asia/Tokyo",
	});
	context.setDefaultTimeout(PATIENCE);
	const page = await context.newPage(),
		where = { at: "" };
	page.on(
		"console",
		m => m.type() === "error" && !tolerated?.test(m.text()) && fault(where.at, `console: ${m.text()} ${m.location().url}`),
	);
	page.on("request", r => !r.url().startsWith(base) && fault(where.at, `asks elsewhere: ${r.url()}`));
	page.on("pageerror", e => fault(where.at, `exception: ${e.message}`));
	return { context, page, where };
}

// Every place of the view has its rows, or words that say why not.
async function filled(page) {
	await page.waitForFunction(
		() =>
			new URLSearchParams(document.querySelector("main")?.dataset.place.split("?")[1]).toString() ===
				new URLSearchParams(location.search).toString() &&
			document.querySelector("main").dataset.place.split("?")[0] === location.pathname &&
			document.querySelector("main section") &&
			!document.querySelector(".big.waits, [data-waits], main.turning") &&
			[...document.querySelectorAll("main tbody")].every(
				b => !b.querySelector("tr.blank") || (b.textContent.trim().length > 0 && !b.querySelector("tr.grey")),
			),
	);
}

// The page follows the system's theme while it is open.
async function coloured(page, colorScheme, background) {
	await page.emulateMedia({ colorScheme });
	await page.waitForFunction(want => getComputedStyle(document.body).backgroundColor === want, background);
}

async function accessible(page, where, runOnly) {
	const found = await page.evaluate(
		only => globalThis.axe.run(document, { resultTypes: ["violations"], runOnly: only }),
		runOnly,
	);
	checks++;
	for (const v of found.violations)
		if (v.impact === "serious" || v.impact === "critical")
			fault(
				where,
				`${v.id}: ${v.help}: ${v.nodes
					.slice(0, 3)
					.map(n => n.html.slice(0, 140))
					.join(" | ")}`,
			);
}

async function inspect(page, where) {
	await coloured(page, "light", "rgb(255, 255, 255)");
	await accessible(page, `${where} light`, { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
	await coloured(page, "dark", "rgb(16, 19, 23)");
	await accessible(page, `${where} dark`, { type: "rule", values: ["color-contrast"] }); // all that colours change
	const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	check(where, `${over} pixels too wide`, over <= 0);
	check(where, "no answer in its first line", (await page.locator("main h1").first().innerText()).trim().length > 2);
	const odd = await page.evaluate(() => document.body.innerText.match(/undefined|NaN|\[object|Invalid Date|Infinity/)?.[0]);
	check(where, `shows ${odd}`, !odd);
}

// Loads the page once and goes from view to view by its own router, each in light and dark.
export async function tour(browser, base, look, list) {
	const { context, page, where } = await opened(browser, base, look),
		name = `${look.lang} ${look.size}`;
	where.at = name;
	await page.goto(base);
	await filled(page);
	paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0));
	await page.evaluate(AXE);
	for (const view of list) {
		where.at = `${view} ${name}`;
		const begin = Date.now();
		await page.evaluate(href => {
			history.pushState(null, "", href);
			dispatchEvent(new PopStateEvent("popstate"));
		}, view);
		await filled(page);
		views.push(Date.now() - begin);
		await inspect(page, where.at);
	}
	check(name, "the document's language", (await page.evaluate(() => document.documentElement.lang)) === look.lang);
	await context.close();
}

export const looks = () => ["en", "ja"].flatMap(lang => ["desk", "phone"].map(size => ({ lang, size })));
