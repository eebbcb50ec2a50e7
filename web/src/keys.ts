import { go } from "./router";
import { VIEWS } from "./parts/header";
import { Cell } from "./store";

export const help = new Cell<boolean>(false);

const WAIT = 1200;
let pending = 0; // until when a letter belongs to `g`

const writing = (e: KeyboardEvent): boolean => {
	const on = e.target as HTMLElement | null;
	return !!on && (/^(INPUT|TEXTAREA|SELECT)$/.test(on.tagName) || on.isContentEditable);
};

// j and k walk through the rows of the page's lists by their first links.
function walk(by: 1 | -1): void {
	const links = [...document.querySelectorAll<HTMLAnchorElement>("tbody tr > td a:first-of-type")].filter(
		(a, i, all) => i === 0 || a.closest("tr") !== all[i - 1]!.closest("tr"),
	);
	const at = links.findIndex(a => a.closest("tr") === document.activeElement?.closest("tr"));
	const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
	next?.focus();
}

function pressed(e: KeyboardEvent): boolean {
	if (e.key === "Escape") {
		help.set(false);
		if (writing(e)) (e.target as HTMLElement).blur();
		return false;
	}
	if (writing(e)) return false;
	if (pending > Date.now()) {
		pending = 0;
		const view = VIEWS.find(v => v.letter === e.key);
		if (view) go(view.path);
		return view !== undefined;
	}
	switch (e.key) {
		case "/":
			document.getElementById("find")?.focus();
			return true;
		case "g":
			pending = Date.now() + WAIT;
			return true;
		case "j":
		case "k":
			walk(e.key === "j" ? 1 : -1);
			return true;
		case "?":
			help.set(!help.get());
			return true;
		default:
			return false;
	}
}

export function keysStart(): void {
	document.addEventListener("keydown", e => {
		if (!e.ctrlKey && !e.metaKey && !e.altKey && pressed(e)) e.preventDefault();
	});
}
