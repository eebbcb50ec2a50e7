// How long pages take: first paint of each view in a browser that has never been here, and changes of view, from the click to
// the last of its answers drawn. `monomi run` over the store given (bench/pages); ROUNDS starts of it, so that each view is
// also asked for by the first who comes. Prints medians and 95 of 100; asserts nothing.
import { spawn } from "node:child_process";
import { loadavg } from "node:os";
import { launch } from "./tour.mjs";

const [db, rounds = "3", ...options] = process.argv.slice(2);
const HEAD = ["/", "/trend", "/ports", "/sources", "/networks", "/attacks", "/infections", "/sensors", "/about"];
const later = ms => new Promise(done => setTimeout(done, ms));
const found = new Map(); // "what view": [ms, …]

function note(what, view, ms) {
	const key = `${what}|${view}`;
	found.set(key, [...(found.get(key) ?? []), ms]);
}

const rank = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(share * list.length))];

async function started() {
	const child = spawn(process.env.MONOMI, ["run", "--db", db, "--listen", "127.0.0.1:0", ...options], { stdio: ["ignore", "pipe", "inherit"] });
	const since = performance.now();
	const base = await new Promise(done => child.stdout.once("data", text => done(String(text).split("\n")[0].trim().replace(/\/$/, ""))));
	note("start", "address printed", performance.now() - since);
	for (;;) {
		const health = await fetch(base + "/healthz").catch(() => null);
		if (health?.ok || (health && /no live counters/.test(await health.text()))) break;
		await later(20);
	}
	note("start", "ready (/healthz)", performance.now() - since);
	return { base, end: () => new Promise(done => (child.once("exit", done), child.kill("SIGTERM"))) };
}

// In the page: requests that are under way, and what is drawn.
function watch() {
	const fetched = window.fetch;
	window.under = 0;
	window.fetch = async (...a) => {
		window.under++;
		try {
			const answer = await fetched(...a);
			await answer.clone().arrayBuffer();
			return answer;
		} finally {
			setTimeout(() => window.under--, 0); // after the page has it
		}
	};
	window.drawn = path =>
		new Promise(done => {
			const step = () => {
				const main = document.getElementById("main");
				const there = main && main.dataset.place.split("?")[0] === path && main.getAttribute("aria-busy") !== "true";
				if (there && !window.under) requestAnimationFrame(() => done(performance.now()));
				else requestAnimationFrame(step);
			};
			requestAnimationFrame(step);
		});
}

// What the page's main thread has taken of a processor, ms: that does not depend on what else the machine does.
async function worker(page) {
	const session = await page.context().newCDPSession(page);
	await session.send("Performance.enable", { timeDomain: "threadTicks" });
	return async () => (await session.send("Performance.getMetrics")).metrics.find(m => m.name === "TaskDuration").value * 1000;
}

async function opened(browser, base, path, what) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
	await context.addInitScript(watch);
	const page = await context.newPage(),
		worked = await worker(page);
	await page.goto(base + path, { waitUntil: "commit" });
	await page.waitForFunction(() => window.drawn && performance.getEntriesByName("first-contentful-paint").length);
	const shown = await page.evaluate(p => window.drawn(p), path);
	note(`${what}: first paint`, path, await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
	note(`${what}: all drawn`, path, shown);
	note(`${what}: its thread's CPU`, path, await worked());
	return { context, page, worked };
}

// A link on the page is followed.
async function changed({ page, worked }, selector, what, view) {
	await page.waitForSelector(selector, { state: "attached" });
	const before = await worked();
	const ms = await page.evaluate(async s => {
		const link = document.querySelector(s), since = performance.now();
		link.click();
		return (await window.drawn(new URL(link.href).pathname)) - since;
	}, selector);
	note(what, view, ms);
	note(`${what}: its thread's CPU`, view, (await worked()) - before);
	await later(200);
}

async function round(browser) {
	const run = await started();
	for (const what of ["first visitor", "next visitor"])
		for (const path of HEAD) await (await opened(browser, run.base, path, what)).context.close();
	const back = await opened(browser, run.base, "/", "back");
	await later(3000);
	for (const what of ["change of view, first", "change of view, again"]) {
		for (const path of HEAD.slice(1).concat("/")) await changed(back, `header a[href="${path}"]`, what, path);
		for (const path of ["/ports", "/sources"]) {
			await changed(back, `header a[href="${path}"]`, what, path);
			await changed(back, `main a[href^="${path}/"]`, what, path + "/…");
		}
	}
	await back.context.close();
	await run.end();
}

const browser = await launch();
const before = loadavg()[0];
for (let i = 0; i < Number(rounds); i++) await round(browser);
await browser.close();
console.log(`load ${before.toFixed(1)} to ${loadavg()[0].toFixed(1)}; ms: median, 95 of 100, times`);
for (const [key, list] of [...found].sort())
	console.log(`${key.split("|").join("  ").padEnd(60)} ${rank(list, 0.5).toFixed(0).padStart(6)} ${rank(list, 0.95).toFixed(0).padStart(6)} ${list.length}`);
