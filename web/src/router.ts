import { Cell, useCell } from "./store";

// The URL is the state: a path says which view, the query string its range, sensor, sorting and page.
export interface Place {
	path: string;
	query: URLSearchParams;
}

export const placeOf = (url: URL | Location): Place => ({ path: url.pathname, query: new URLSearchParams(url.search) });
const read = (): Place => (globalThis.location ? placeOf(location) : { path: "/", query: new URLSearchParams() }); // none in unit tests

// What is shown, and what the URL says: they differ while rows of the next place are on their way.
export const place = new Cell<Place>(read());
export const wanted = new Cell<Place>(place.get());
export const usePlace = (): Place => useCell(place);

// Gets what a place will show; null when all of it is there. What is shown stays until then, so that nothing flickers and
// no row stands under another view's words.
export type Prepare = (to: Place, from: Place) => Promise<void> | null;
let prepare: Prepare = () => null;
let turn = 0;

function show(to: Place, then?: () => void): void {
	place.set(to);
	then?.();
}

function turnTo(to: Place, then?: () => void): void {
	const mine = ++turn,
		coming = prepare(to, place.get());
	wanted.set(to);
	if (coming) void coming.then(() => mine === turn && show(to, then));
	else show(to, then);
}

export function go(href: string, replace = false): void {
	const from = location.pathname;
	history[replace ? "replaceState" : "pushState"](null, "", href);
	turnTo(read(), () => location.pathname !== from && !location.hash && scrollTo(0, 0));
}

// This place with some of its query changed; null takes a part out. Whatever changes what is listed starts at its first page.
export function here(change: Record<string, string | null>, at: Place = place.get()): string {
	const query = new URLSearchParams(at.query);
	if (!("cursor" in change)) query.delete("cursor");
	for (const [name, value] of Object.entries(change))
		if (value === null) query.delete(name);
		else query.set(name, value);
	const text = query.toString().replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/");
	return at.path + (text ? "?" + text : "");
}

// A place of these pages, not of the API, a file or another site.
function isOurs(a: HTMLAnchorElement): boolean {
	return (
		a.origin === location.origin &&
		!a.target &&
		!a.hasAttribute("download") &&
		!/^\/(v1|metrics|openapi|healthz)/.test(a.pathname)
	);
}

function follows(e: MouseEvent, a: HTMLAnchorElement): boolean {
	if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || !isOurs(a)) return false;
	return !(a.hash && a.pathname === location.pathname && a.search === location.search);
}

const linkAt = (e: Event): HTMLAnchorElement | null => {
	const a = (e.target as Element | null)?.closest?.("a[href]");
	return a instanceof HTMLAnchorElement && isOurs(a) ? a : null;
};

const DWELL = 80; // ms on a link that mean it

// A link that is pointed at will likely be followed: its rows are asked for meanwhile.
function foresee(): void {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const ask = (a: HTMLAnchorElement): void => void prepare(placeOf(new URL(a.href)), place.get());
	document.addEventListener("pointerover", e => {
		const a = linkAt(e);
		clearTimeout(timer);
		if (a) timer = setTimeout(() => ask(a), DWELL);
	});
	for (const kind of ["pointerdown", "focusin"])
		document.addEventListener(kind, e => {
			const a = linkAt(e);
			if (a) ask(a);
		});
}

export function routerStart(prepared: Prepare): void {
	prepare = prepared;
	addEventListener("popstate", () => turnTo(read()));
	document.addEventListener("click", e => {
		const a = linkAt(e);
		if (a && follows(e, a)) {
			e.preventDefault();
			go(a.pathname + a.search + a.hash);
		}
	});
	foresee();
}
