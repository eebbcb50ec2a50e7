import { Cell, useCell } from "../store";

export type Lang = "en" | "ja";
export const LANGS: readonly Lang[] = ["en", "ja"];

// What a browser keeps of a reader's choices; it may refuse to.
export function kept(name: string): string | null {
	try {
		return localStorage.getItem(name);
	} catch {
		return null;
	}
}

export function keep(name: string, value: string | null): void {
	try {
		if (value === null) localStorage.removeItem(name);
		else localStorage.setItem(name, value);
	} catch {
		// Then the choice holds for this page alone.
	}
}

const isLang = (text: string | null | undefined): text is Lang => text === "en" || text === "ja";

// `?lang=` is for links and prints; then what was chosen; then what the browser asks for.
function first(): Lang {
	const asked = new URLSearchParams(globalThis.location?.search ?? "").get("lang");
	const chosen = kept("lang");
	if (isLang(asked)) return asked;
	if (isLang(chosen)) return chosen;
	return globalThis.navigator?.language?.startsWith("ja") ? "ja" : "en";
}

export const language = new Cell<Lang>(first());
export const lang = (): Lang => language.get();
export const useLang = (): Lang => useCell(language);

export function langChoose(next: Lang): void {
	keep("lang", next);
	language.set(next);
}
