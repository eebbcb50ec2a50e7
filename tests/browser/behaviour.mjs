// What the pages do, beside how they look: each is told a name, a fresh page and the fixture, and returns what is wrong, or
// nothing. Waits are for conditions; what never comes ends as Playwright's timeout.
const url = page => new URL(page.url());
const until = (page, what, value) => page.waitForFunction(what, value);
const path = (page, want) => until(page, w => location.pathname + location.search === w, want);
const text = (page, selector) => page.locator(selector).first().innerText();

export const BEHAVIOUR = {
	async "keys go where they say"(page) {
		await page.keyboard.press("/");
		await page.keyboard.type("23");
		await page.keyboard.press("Enter");
		await path(page, "/search?q=23");
		await page.keyboard.press("Escape");
		await page.keyboard.press("g");
		await page.keyboard.press("p");
		await path(page, "/ports");
		await page.locator("td.what a").first().waitFor();
		await page.keyboard.press("j");
		await page.keyboard.press("j");
		await page.keyboard.press("k");
		if ((await page.evaluate(() => document.activeElement.textContent)) !== "2323/tcp")
			return "j and k do not walk through the rows";
		await page.keyboard.press("Enter");
		await path(page, "/ports/tcp/2323");
		await page.keyboard.press("?");
		await page.locator("dialog[open]").waitFor();
		await page.keyboard.press("Escape");
		await page.locator("dialog[open]").waitFor({ state: "detached" });
	},
	async "a table sorts, and back undoes it"(page) {
		await page.locator("header nav a[href='/ports']").click();
		await page.locator("th a", { hasText: "Sources" }).click();
		await path(page, "/ports?sort=sources");
		const figures = await page.locator("#ranking tbody tr td:last-child").allInnerTexts();
		const n = figures.map(f => Number(f.replace(/,/g, "")));
		if (n.some((v, i) => i && v > n[i - 1])) return "not sorted: " + figures.slice(0, 5);
		if ((await page.locator("th[aria-sort=descending]").count()) !== 1) return "does not say by what it is sorted";
		await page.goBack();
		await path(page, "/ports");
		if ((await text(page, "#ranking td.what")) !== "2323/tcp") return "back does not undo the sorting";
	},
	async "lists go on by cursor"(page) {
		await page.locator("header nav a[href='/sources']").click();
		const first = await text(page, "td.mono");
		await page.locator("a[rel=next]").click();
		await path(page, "/sources?cursor=50");
		await until(
			page,
			was => document.querySelector("td.mono")?.textContent !== was && document.querySelector("td.mono"),
			first,
		);
		await page.goBack();
		await until(page, was => document.querySelector("td.mono")?.textContent === was, first);
	},
	async "language and theme are switched, and stay"(page) {
		await page.locator("header button[lang=ja]").click();
		await until(
			page,
			() => document.documentElement.lang === "ja" && document.querySelector("h1").textContent.includes("アドレス"),
		);
		await page.locator("header button.quiet").nth(1).click();
		await until(page, () => document.documentElement.dataset.theme === "dark");
		await page.reload();
		await until(page, () => document.documentElement.lang === "ja" && document.documentElement.dataset.theme === "dark");
		if ((await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) !== "rgb(16, 19, 23)")
			return "the theme is named but not shown";
	},
	async "counters and commits arrive by themselves"(page, fixture, live) {
		const counters = live();
		counters.seconds = counters.seconds.map(([s]) => [s, 77, 77]);
		await page.locator("#live").waitFor();
		fixture.send("live", counters);
		await until(page, () => document.querySelector("#live .beat b")?.textContent === "77.0");
		await page.locator("#live button").click();
		await page.locator(".tail td a").first().waitFor();
		const before = fixture.asked.get("/v1/ports");
		fixture.send("commit", { as_of: "2026-11-24T00:14:00Z" });
		for (let i = 0; fixture.asked.get("/v1/ports") === before; i++) {
			if (i > 300) return "a commit makes nobody ask again";
			await page.waitForTimeout(50);
		}
	},
	async "a failure keeps what was there, and can be tried again"(page, fixture) {
		await page.locator("td.what a").first().waitFor();
		fixture.state.scene = "failing";
		fixture.send("commit", { as_of: "2026-11-24T00:14:00Z" });
		await page.locator(".failure button").first().waitFor();
		if (!(await text(page, ".failure")).includes("MON-SRV-021"))
			return "the failure does not give its code: " + (await text(page, ".failure"));
		if ((await text(page, "#ports td.what")) !== "2323/tcp") return "the last rows are gone";
		fixture.state.scene = "full";
		await page.locator("#ports .failure button").click();
		await page.locator("#ports .failure").waitFor({ state: "detached" });
	},
	async "what is old says so"(page, fixture) {
		await page.locator("td.what a").first().waitFor();
		await page.clock.install();
		await page.goto(page.url());
		await page.locator("td.what a").first().waitFor();
		fixture.state.scene = "failing";
		fixture.hangUp();
		await page.clock.runFor(200_000);
		await page.locator("main.stale").waitFor();
		if (!(await text(page, ".trust")).includes("last contact"))
			return "the trust bar does not say when it heard last: " + (await text(page, ".trust"));
		if (!(await text(page, "#ports .eyebrow")).includes("as of")) return "sections do not say as of when they are";
	},
	async "slow answers keep their place"(page, fixture) {
		fixture.state.scene = "slow";
		await page.goto(page.url() + "ports");
		await page.locator("tr.blank.grey").first().waitFor();
		await page.locator("td.what a").first().waitFor();
	},
	async "a store without rows says so"(page, fixture) {
		fixture.state.scene = "empty";
		for (const view of ["", "trend", "ports", "sources", "networks", "attacks", "attacks/192.0.2.1", "infections", "sensors", "about"]) {
			await page.goto(`http://127.0.0.1:${fixture.port}/${view}`);
			await until(
				page,
				() =>
					document.querySelector("main section") &&
					!document.querySelector("[data-waits]") &&
					[...document.querySelectorAll("main tbody")].every(
						b => !b.querySelector("tr.blank") || b.textContent.trim().length > 1,
					),
			);
			const odd = await page.evaluate(() => document.body.innerText.match(/undefined|NaN|\[object|Invalid|Infinity/)?.[0]);
			if (odd) return `/${view} shows ${odd}`;
		}
		if (!(await text(page, ".trust")).includes("no sensor")) return "the trust bar does not say that there is no sensor";
	},
	async "a plot is zoomed by drawing across it"(page) {
		await page.locator("header nav a[href='/trend']").click();
		const area = page.locator("#total .area");
		await page.locator("#total path.line").first().waitFor({ state: "attached" });
		const box = await area.boundingBox();
		await page.mouse.move(box.x + box.width * 0.5, box.y + 40);
		await page.mouse.down();
		await page.mouse.move(box.x + box.width * 0.6, box.y + 40, { steps: 4 });
		await page.mouse.up();
		await until(page, () => location.search.includes("from=2026-11-20T"));
		const { searchParams } = url(page),
			hours = (Date.parse(searchParams.get("to")) - Date.parse(searchParams.get("from"))) / 3_600_000;
		if (Math.abs(hours - 16.8) > 1) return `${hours} hours, not a tenth of the week`;
	},
	async "a chart is a table, a lasting link and a picture"(page) {
		await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
		await page.locator("header nav a[href='/trend']").click();
		await page.locator("#total path.line").first().waitFor({ state: "attached" });
		const saved = page.waitForEvent("download");
		await page.locator("#total .actions button", { hasText: "PNG" }).click();
		if (!(await saved).suggestedFilename().includes("SIMULATED")) return "a picture does not say that it is made up";
		await page.locator("#total .actions a", { hasText: "Table" }).click();
		await path(page, "/trend?table=total");
		await page.locator("#total td").first().waitFor();
		await page.locator("#total .actions button", { hasText: "Copy" }).click();
		const copied = await page.evaluate(() => navigator.clipboard.readText());
		if (!copied.split("\n")[0].endsWith("\tsimulated")) return "copied rows do not say that they are made up: " + copied.slice(0, 99);
		await page.locator("#total .actions button", { hasText: "Link" }).click();
		const link = await page.evaluate(() => navigator.clipboard.readText());
		if (!/\/trend\?table=total&from=2026-11-\d\dT.*&to=2026-11-24T.*#total$/.test(link)) return "a link does not last: " + link;
		await page.goBack();
		await page.locator("#total path.line").first().waitFor({ state: "attached" });
	},
	async "what is shown stays until the next is there"(page, fixture) {
		await page.locator("header nav a[href='/ports']").click();
		await page.locator("#ranking td.what").first().waitFor();
		fixture.state.scene = "slow";
		await page.evaluate(() => {
			Object.assign(globalThis, { blanks: 0, marked: "" });
			new MutationObserver(() => {
				globalThis.blanks += document.querySelectorAll("tr.blank").length;
				if (document.querySelector("main.turning")) globalThis.marked = document.querySelector(".ranges a[aria-current]").innerText;
			}).observe(document.body, { subtree: true, childList: true, attributes: true });
		});
		await page.locator(".ranges a", { hasText: "4 w" }).click();
		await path(page, "/ports?range=28d");
		await page.locator("main[data-place='/ports?range=28d']").waitFor();
		if ((await page.evaluate(() => globalThis.marked)) !== "4 w") return "the range that was chosen is not marked while its rows come";
		if (await page.evaluate(() => globalThis.blanks)) return "rows were taken away before others came";
	},
	async "a link that is pointed at is asked for before it is followed"(page, fixture) {
		await page.locator("td.what a", { hasText: "2323/tcp" }).first().hover();
		for (let i = 0; !fixture.asked.get("/v1/ports/tcp/2323/history"); i++) {
			if (i > 300) return "nothing is asked for";
			await page.waitForTimeout(50);
		}
	},
	async "names are text, whatever is in them"(page) {
		await page.locator("#networks td.cut", { hasText: "<b>Cloud</b>" }).waitFor();
		if (await page.locator("#networks td b").count()) return "a name became an element";
	},
	async "made-up data is marked, real data is not"(page, fixture) {
		await page.locator(".strip").waitFor();
		fixture.state.scene = "real";
		await page.reload();
		await page.locator("td.what a").first().waitFor();
		if (await page.locator(".strip").count()) return "real data is called simulated";
	},
};
