import { render } from "preact";
import { App } from "./app";
import { streamStart } from "./api/stream";
import { keysStart } from "./keys";
import { routerStart } from "./router";
import { clockStart, themeStart } from "./state";
import "./style/house.css";
import "./style/evidence.css";

themeStart();
routerStart();
clockStart();

// The script holds the first painting back until the theme is known; the body may not be there yet.
function start(): void {
	keysStart();
	render(<App />, document.getElementById("app")!);
	streamStart();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
