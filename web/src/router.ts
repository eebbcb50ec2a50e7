import { Cell, useCell } from "./store";

// The URL is the state: a path says which view, the query string its range, sensor, sorting and page.
export interface Place {
	path: string;
	query: URLSearchParams;
}

const read = (): Place => ({
	path: globalThis.location?.pathname ?? "/",
	query: new URLSearchParams(globalThis.location?.search ?? ""), // none in unit tests
});
export const place = new Cell<Place>(read());
export const usePlace = (): Place => useCell(place);

export function go(href: string, replace = false): void {
	const from = location.pathname;
	history[replace ? "replaceState" : "pushState"](null, "", href);
	place.set(read());
	if (location.pathname !== from && !location.hash) scrollTo(0, 0);
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

function follows(e: MouseEvent, a: HTMLAnchorElement): boolean {
	if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return false;
	if (
		a.origin !== location.origin ||
		a.target ||
		a.hasAttribute("download") ||
		/^\/(v1|metrics|openapi|healthz)/.test(a.pathname)
	)
		return false;
	return !(a.hash && a.pathname === location.pathname && a.search === location.search);
}

export function routerStart(): void {
	addEventListener("popstate", () => place.set(read()));
	document.addEventListener("click", e => {
		const a = (e.target as Element | null)?.closest?.("a");
		if (a instanceof HTMLAnchorElement && a.hasAttribute("href") && follows(e, a)) {
			e.preventDefault();
			go(a.pathname + a.search + a.hash);
		}
	});
}
