import { render } from "preact";
import { App } from "./app";
import { fetchAhead, isThere } from "./api/client";
import { streamStart } from "./api/stream";
import { keysStart } from "./keys";
import { asksOf } from "./pages";
import { VIEWS } from "./parts/header";
import { type Place, placeOf, routerStart } from "./router";
import { clockStart, themeStart } from "./state";
import "./style/house.css";
import "./style/evidence.css";

const PATIENCE = 250, // ms that another view is waited for; then it shows what it has
	LONGER = 4000; // with the same view before the eyes

function prepare(to: Place, from: Place): Promise<void> | null {
	const missing = asksOf(to).filter(url => (isThere(url) ? (void fetchAhead(url), false) : true));
	if (!missing.length) return null;
	const late = new Promise<void>(done => setTimeout(done, to.path === from.path ? LONGER : PATIENCE));
	return Promise.race([Promise.all(missing.map(fetchAhead)).then(() => undefined), late]);
}

const IDLE = 1500; // ms after the start

// The views of the head are asked for once, one question at a time, when the first has what it needs.
async function idle(): Promise<void> {
	for (const { path } of VIEWS)
		for (const url of asksOf(placeOf(new URL(path, location.href)))) if (!document.hidden) await fetchAhead(url);
}

themeStart();
routerStart(prepare);
clockStart();

// The script holds the first painting back until the theme is known; the body may not be there yet.
function start(): void {
	keysStart();
	render(<App />, document.getElementById("app")!);
	streamStart();
	setTimeout(() => void idle(), IDLE);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
