import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Loaded } from "../api/client";
import type { Status } from "../api/types";
import { go, usePlace, wanted } from "../router";
import { theme, themeChoose, useNow } from "../state";
import { useCell } from "../store";
import { clock, utc } from "../text/format";
import { keep, kept, lang, langChoose } from "../text/language";
import { type Key, t } from "../text/strings";

// The views, and the letter that follows `g` to get there.
export const VIEWS: readonly { path: string; key: Key; letter: string }[] = [
	{ path: "/", key: "now", letter: "n" },
	{ path: "/trend", key: "trend", letter: "t" },
	{ path: "/ports", key: "ports", letter: "p" },
	{ path: "/sources", key: "sources", letter: "s" },
	{ path: "/networks", key: "networks", letter: "w" },
	{ path: "/attacks", key: "attacks", letter: "k" },
	{ path: "/infections", key: "infections", letter: "i" },
	{ path: "/sensors", key: "sensors", letter: "e" },
	{ path: "/about", key: "about", letter: "a" },
];

const within = (path: string, view: string): boolean =>
	view === "/"
		? path === "/"
		: path === view || path.startsWith(view + "/") || (view === "/networks" && path.startsWith("/countries/"));

function Logo(): JSX.Element {
	return (
		<a class="logo" href="/">
			<svg viewBox="0 0 16 16" aria-hidden="true">
				<path d="M2 2.5h12M3.5 2.5v5h9v-5M3 7.5h10M5.5 7.5 4 14.5M10.5 7.5l1.5 7" />
			</svg>
			monomi
		</a>
	);
}

function Find(): JSX.Element {
	const { path, query } = usePlace(),
		field = useRef<HTMLInputElement>(null);
	const asked = path === "/search" ? (query.get("q") ?? "") : "";
	useEffect(() => {
		if (field.current && field.current.value !== asked) field.current.value = asked;
	}, [asked]);
	const send = (e: Event): void => {
		e.preventDefault();
		const q = field.current?.value.trim();
		if (q) go("/search?q=" + encodeURIComponent(q), path === "/search");
	};
	return (
		<form class="find" role="search" onSubmit={send}>
			<input
				ref={field}
				id="find"
				name="q"
				type="search"
				aria-label={t("search")}
				placeholder={t("search")}
				autocomplete="off"
				spellcheck={false}
			/>
			<kbd aria-hidden="true">/</kbd>
		</form>
	);
}

export function Clock({ status }: { status: Loaded<Status> }): JSX.Element {
	const d = new Date(useNow(status));
	return (
		<time class="clock" dateTime={d.toISOString()} title={utc(new Date(Math.floor(d.getTime() / 60_000) * 60_000))}>
			{clock(d)}
		</time>
	);
}

export function Header({ status }: { status: Loaded<Status> }): JSX.Element {
	const { path } = useCell(wanted),
		look = useCell(theme);
	const [open, openSet] = useState(false);
	useEffect(() => openSet(false), [path]);
	const other = look === "dark" ? "light" : "dark";
	const otherName = t(other === "dark" ? "themeDark" : "themeLight");
	return (
		<header>
			<Logo />
			<button
				type="button"
				class="menu"
				aria-expanded={open}
				aria-controls="views"
				aria-label={t("menu")}
				onClick={() => openSet(!open)}
			>
				<i />
				<i />
				<i />
			</button>
			<nav id="views" class={open ? "open" : ""} aria-label={t("views")}>
				{VIEWS.map(v => (
					<a key={v.path} href={v.path} aria-current={within(path, v.path) ? "page" : undefined}>
						{t(v.key)}
					</a>
				))}
			</nav>
			<div class={"right" + (open ? " open" : "")}>
				<Find />
				<button
					type="button"
					class="quiet"
					lang={lang() === "en" ? "ja" : "en"}
					onClick={() => langChoose(lang() === "en" ? "ja" : "en")}
				>
					{t("otherLanguage")}
				</button>
				<button type="button" class="quiet" aria-label={t("themeSwitch", otherName)} onClick={() => themeChoose(other)}>
					{otherName}
				</button>
			</div>
			<Clock status={status} />
		</header>
	);
}

const MADE_UP = "simulated"; // kept, so that the strip is there before the first answer and nothing moves

export function Strip({ status }: { status: Loaded<Status> }): JSX.Element | null {
	const simulated = status.data ? status.data.simulated : kept(MADE_UP) !== null;
	useEffect(() => {
		if (status.data) keep(MADE_UP, simulated ? "1" : null);
	}, [status.data, simulated]);
	if (!simulated) return null;
	const l = lang() === "en" ? "ja" : "en";
	return (
		<div class="strip" role="note">
			<b>{t("simulated")}</b>
			<span class="long">{t("simulatedLong")}</span>
			<span class="short">{t("simulatedShort")}</span>
			<span class="right" lang={l}>
				{l === "ja" ? "模擬データ" : "SIMULATED"}
			</span>
		</div>
	);
}
