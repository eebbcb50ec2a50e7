import type { JSX } from "preact";
import type { Loaded } from "../api/client";
import type { Status } from "../api/types";
import { t } from "../text/strings";
import { countryName } from "../text/places";
import { portKey } from "../text/services";
import { About } from "./about";
import { Missing } from "./missing";
import { Country, Network, Networks } from "./networks";
import { Now } from "./now";
import { Port } from "./port";
import { Ports } from "./ports";
import { Search } from "./search";
import { Sensors } from "./sensors";
import { Source } from "./source";
import { Sources } from "./sources";
import { Trend } from "./trend";

export interface ViewProps {
	status: Loaded<Status>;
	arguments: string[];
}
export interface View {
	title: () => string;
	View: (p: ViewProps) => JSX.Element;
	arguments: string[];
}

const VIEWS: { path: RegExp; title: (a: string[]) => string; View: (p: ViewProps) => JSX.Element }[] = [
	{ path: /^\/$/, title: () => t("now"), View: Now },
	{ path: /^\/trend$/, title: () => t("trend"), View: Trend },
	{ path: /^\/ports$/, title: () => t("ports"), View: Ports },
	{ path: /^\/ports\/([a-z0-9-]+)\/(\d{1,5})$/, title: ([protocol = "", port]) => portKey(protocol, Number(port)), View: Port },
	{ path: /^\/sources$/, title: () => t("sources"), View: Sources },
	{ path: /^\/sources\/([^/]+)$/, title: ([address = ""]) => address, View: Source },
	{ path: /^\/networks$/, title: () => t("networks"), View: Networks },
	{ path: /^\/networks\/(\d{1,10})$/, title: ([as]) => `AS${as}`, View: Network },
	{ path: /^\/countries\/([A-Z]{2})$/, title: ([code]) => countryName(code), View: Country },
	{ path: /^\/sensors$/, title: () => t("sensors"), View: Sensors },
	{ path: /^\/search$/, title: () => t("search"), View: Search },
	{ path: /^\/about$/, title: () => t("about"), View: About },
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
