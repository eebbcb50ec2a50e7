// The pages as `monomi run` serves them: on the committed capture, whose monitored addresses are unknown, and on a made-up
// telescope while it fills and lives.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, fault, launch, report, tour } from "./tour.mjs";

const MONOMI = process.env.MONOMI,
	SOURCE = process.env.SOURCE_DIR ?? "../..";
const PATIENCE = 120_000;
const folder = mkdtempSync(join(tmpdir(), "monomi-pages-"));
const later = ms => new Promise(done => setTimeout(done, ms));

// Starts an observatory; its first line is its address.
function started(name, options) {
	const child = spawn(MONOMI, ["run", "--db", join(folder, name), "--listen", "127.0.0.1:0", ...options], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const base = new Promise((done, failed) => {
		let text = "";
		child.stdout.on("data", piece => (text += piece).includes("\n") && done(text.split("\n")[0].trim()));
		child.on("exit", code => failed(new Error(`monomi run ended with ${code}`)));
	});
	const ended = new Promise(done => child.on("exit", done));
	return { base, end: async () => (child.kill("SIGTERM"), ended) };
}

async function until(what, holds) {
	for (const end = Date.now() + PATIENCE; Date.now() < end; await later(100)) if (await holds()) return;
	throw new Error(`waited in vain for ${what}`);
}

const asked = async (base, path) => (await fetch(base.replace(/\/$/, "") + path)).json();

async function stored(browser, base) {
	await until("its packets", async () => (await asked(base, "/v1/status")).packets > 0);
	const list = [
		"/",
		"/trend",
		"/trend?figure=2-19",
		"/ports",
		"/ports/tcp/23",
		"/sources",
		"/sources/198.19.7.12",
		"/networks",
		"/attacks",
		"/attacks/198.19.50.80",
		"/attacks/198.19.50.80/2026-11-24T06:09:54Z",
		"/sensors",
		"/search?q=23",
		"/about",
	];
	await tour(browser, base, { lang: "en", size: "desk" }, list);
}

// Queries that somebody waited for: asked, and not ahead of everybody.
async function waitedFor(base) {
	const text = await (await fetch(`${base.replace(/\/$/, "")}/metrics`)).text();
	const value = name => Number(new RegExp(`^monomi_${name}_total (\\d+)$`, "m").exec(text)[1]);
	return value("queries") - value("queries_ahead");
}

// Once /healthz says that all is there, the views of the head ask the reader nothing that they would wait for, though nobody
// was there before. A mutant that it kills: one line of src/serve/standing.c left out.
async function standing(browser, base) {
	const before = await waitedFor(base);
	for (const path of ["", "trend", "ports", "sources", "networks", "attacks", "infections", "sensors", "about"]) {
		const context = await browser.newContext(),
			page = await context.newPage();
		await page.goto(base + path);
		await page.waitForSelector("main[aria-busy=false]", { timeout: PATIENCE });
		await page.waitForTimeout(1000); // what it asks for when it has its first answers
		check("simulated", `/${path} says so`, (await page.locator(".strip").count()) === 1);
		check("simulated", `/${path} waits for no query`, (await waitedFor(base)) === before);
		await context.close();
	}
}

async function simulated(browser, base) {
	await until("rows", async () => (await asked(base, "/v1/status")).packets > 0);
	await until("counters", async () => (await asked(base, "/v1/live")).at > 0);
	await until("all that pages ask for", async () => (await fetch(`${base}healthz`)).ok);
	await standing(browser, base);
	await until("ports", async () => (await asked(base, "/v1/ports?limit=1")).rows?.length > 0);
	const [source] = (await asked(base, "/v1/sources?limit=1")).rows,
		[network] = (await asked(base, "/v1/networks?limit=1")).rows;
	const list = [
		"/",
		"/trend?range=24h",
		"/trend?figure=2-20",
		"/ports?table=heat",
		"/ports",
		"/ports/tcp/445",
		"/sources",
		`/sources/${source.source}`,
		"/networks",
		`/countries/${network.country}`,
		"/attacks?range=7d",
		"/attacks?verdict=undecided",
		"/attacks?definition=corsaro3&range=7d",
		"/sensors",
		"/search?q=telnet",
		"/about",
	];
	const [attack] = (await asked(base, "/v1/attacks?verdict=attack&from=-7d&limit=1")).rows;
	if (attack) list.push(`/attacks/${attack.victim}`, `/attacks/${attack.victim}/${attack.first}`);
	if (network.as_number !== null) list.push(`/networks/${network.as_number}`);
	await tour(browser, base, { lang: "ja", size: "phone" }, list);
	check("simulated", "says that it is", (await asked(base, "/v1/status")).simulated === true);
}

const browser = await launch();
for (const [part, ...options] of [
	[stored, "--pcap", join(SOURCE, "samples/scans.pcap")],
	[simulated, "--simulate"],
]) {
	const run = started(part.name, options);
	try {
		await part(browser, await run.base);
	} catch (e) {
		fault(part.name, String(e.message).split("\n")[0]);
	}
	await run.end();
}
await browser.close();
rmSync(folder, { recursive: true, force: true });
process.exit(report());
