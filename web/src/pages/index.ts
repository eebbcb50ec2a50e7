import type { JSX } from "preact";
import type { Loaded } from "../api/client";
import type { Status } from "../api/types";
import { t } from "../text/strings";
import { moment } from "../text/format";
import { countryName } from "../text/places";
import { portKey } from "../text/services";
import { lastOf } from "../api/client";
import type { Place } from "../router";
import type { Stored } from "../span";
import { STATUS } from "../state";
import { About, aboutAsks } from "./about";
import { Attacks, attacksAsks } from "./attacks";
import { Infections, infectionsAsks } from "./infections";
import { Missing } from "./missing";
import { countryAsks, Country, networkAsks, Network, networksAsks, Networks } from "./networks";
import { Now, nowAsks } from "./now";
import { Port, portAsks } from "./port";
import { Ports, portsAsks } from "./ports";
import { Search, searchAsks } from "./search";
import { Sensors, sensorsAsks } from "./sensors";
import { Source, sourceAsks } from "./source";
import { Sources, sourcesAsks } from "./sources";
import { Trend, trendAsks } from "./trend";
import { Attack, attackAsks, Victim, victimAsks } from "./victim";

export interface ViewProps {
	status: Loaded<Status>;
	arguments: string[];
}
export interface View {
	title: () => string;
	View: (p: ViewProps) => JSX.Element;
	arguments: string[];
	asks: Asks;
}
// What a view will ask for, at a place of it.
type Asks = (which: string[], query: URLSearchParams, stored: Stored | undefined) => (string | null)[];

const VIEWS: { path: RegExp; title: (a: string[]) => string; View: (p: ViewProps) => JSX.Element; asks: Asks }[] = [
	{ path: /^\/$/, title: () => t("now"), View: Now, asks: nowAsks },
	{ path: /^\/trend$/, title: () => t("trend"), View: Trend, asks: trendAsks },
	{ path: /^\/ports$/, title: () => t("ports"), View: Ports, asks: portsAsks },
	{ path: /^\/ports\/([a-z0-9-]+)\/(\d{1,5})$/, title: ([protocol = "", port]) => portKey(protocol, Number(port)), View: Port, asks: portAsks },
	{ path: /^\/sources$/, title: () => t("sources"), View: Sources, asks: sourcesAsks },
	{ path: /^\/sources\/([^/]+)$/, title: ([address = ""]) => address, View: Source, asks: sourceAsks },
	{ path: /^\/networks$/, title: () => t("networks"), View: Networks, asks: networksAsks },
	{ path: /^\/networks\/(\d{1,10})$/, title: ([as]) => `AS${as}`, View: Network, asks: networkAsks },
	{ path: /^\/countries\/([A-Z]{2})$/, title: ([code]) => countryName(code), View: Country, asks: countryAsks },
	{ path: /^\/attacks$/, title: () => t("attacks"), View: Attacks, asks: attacksAsks },
	{ path: /^\/attacks\/([^/]+)$/, title: ([address = ""]) => address, View: Victim, asks: victimAsks },
	{ path: /^\/attacks\/([^/]+)\/([^/]+)$/, title: ([address = "", first = ""]) => `${address} ${moment(first)}`, View: Attack, asks: attackAsks },
	{ path: /^\/infections$/, title: () => t("infections"), View: Infections, asks: infectionsAsks },
	{ path: /^\/sensors$/, title: () => t("sensors"), View: Sensors, asks: sensorsAsks },
	{ path: /^\/search$/, title: () => t("search"), View: Search, asks: searchAsks },
	{ path: /^\/about$/, title: () => t("about"), View: About, asks: aboutAsks },
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
			return { title: () => v.title(found), View: v.View, arguments: found, asks: v.asks };
		}
	}
	return { title: () => t("notFoundTitle"), View: Missing, arguments: [], asks: () => [] };
}

export function asksOf(place: Place): string[] {
	const view = viewOf(place.path);
	return view.asks(view.arguments, place.query, lastOf<Stored>(STATUS)).filter((u): u is string => u !== null);
}
