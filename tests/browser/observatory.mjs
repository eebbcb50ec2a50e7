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

async function simulated(browser, base) {
	await until("rows", async () => (await asked(base, "/v1/ports?limit=1")).rows?.length > 0);
	await until("counters", async () => (await asked(base, "/v1/live")).at > 0);
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
