import { Cell } from "../store";
import { askAgain } from "./client";
import type { Live } from "./types";

export const live = new Cell<Live | null>(null);

// Contact with the program: whether the stream is open, and when something last came (ms since 1970).
export interface Contact {
	open: boolean;
	at: number;
	started: number;
}
export const contact = new Cell<Contact>({ open: false, at: 0, started: Date.now() });

const HIDDEN = 30_000,
	LONGEST = 30_000,
	POLL = 60_000,
	BETWEEN = 5000;
let source: EventSource | null = null;
let wait = 1000;
let timer: ReturnType<typeof setTimeout> | undefined;

const heard = (): void => contact.set({ ...contact.get(), open: true, at: Date.now() });

let asked = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;

// New rows: at once, but while a store fills, when there is a commit every second, only every few.
function committed(): void {
	clearTimeout(waiting);
	waiting = setTimeout(
		() => {
			asked = Date.now();
			askAgain();
		},
		Math.max(0, asked + BETWEEN - Date.now()),
	);
}

function parsed(e: Event): unknown {
	try {
		return JSON.parse((e as MessageEvent<string>).data);
	} catch {
		return null;
	}
}

function open(): void {
	clearTimeout(timer);
	source = new EventSource("/v1/stream");
	source.onopen = () => {
		if (contact.get().at) askAgain(); // commits may have passed meanwhile
		wait = 1000;
		heard();
	};
	source.addEventListener("live", e => {
		const counters = parsed(e) as Live | null;
		if (counters && typeof counters.at === "number") {
			live.set(counters);
			heard();
		}
	});
	source.addEventListener("commit", () => {
		heard();
		committed();
	});
	source.onerror = () => {
		close();
		timer = setTimeout(open, wait);
		wait = Math.min(wait * 2, LONGEST);
	};
}

function close(): void {
	clearTimeout(timer);
	source?.close();
	source = null;
	contact.set({ ...contact.get(), open: false });
}

// Without a stream the rows still come, if seldom.
function poll(): void {
	if (!contact.get().open && !document.hidden) askAgain();
}

// Follows the stream. A browser has six connections to a host: a page that nobody sees gives its own back.
export function streamStart(): void {
	open();
	setInterval(poll, POLL);
	document.addEventListener("visibilitychange", () => {
		if (document.hidden) {
			timer = setTimeout(close, HIDDEN);
		} else if (!source) {
			wait = 1000;
			open();
		} else {
			clearTimeout(timer);
		}
	});
}
