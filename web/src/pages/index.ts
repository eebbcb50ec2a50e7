import type { JSX } from "preact";
import type { Loaded } from "../api/client";
import type { Status } from "../api/types";
import { t } from "../text/strings";
import { Missing } from "./missing";
import { Now } from "./now";

export interface ViewProps { status: Loaded<Status>; arguments: string[] }
export interface View { title: () => string; View: (p: ViewProps) => JSX.Element; arguments: string[] }

const VIEWS: { path: RegExp; title: (a: string[]) => string; View: (p: ViewProps) => JSX.Element }[] = [
	{ path: /^\/$/, title: () => t("now"), View: Now },
];

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

export function viewOf(path: string): View {
	for (const v of VIEWS) {
		const match = v.path.exec(path);
		if (match) {
			const found = match.slice(1).map(decoded);
			return { title: () => v.title(found), View: v.View, arguments: found };
		}
	}
	return { title: () => t("notFoundTitle"), View: Missing, arguments: [] };
}
