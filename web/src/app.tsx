import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Header, Strip } from "./parts/header";
import { Help } from "./parts/help";
import { Newest, Stale } from "./parts/section";
import { TrustBar } from "./parts/trust";
import { viewOf } from "./pages";
import { usePlace, wanted } from "./router";
import { storedIs } from "./span";
import { useStale, useStatus } from "./state";
import { useCell } from "./store";
import { useLang } from "./text/language";
import { t } from "./text/strings";
import { ended, endedOf } from "./text/when";

export function App(): JSX.Element {
	const l = useLang(),
		at = usePlace(),
		{ path } = at,
		turning = useCell(wanted) !== at,
		status = useStatus(),
		stale = useStale(status);
	const view = viewOf(path);
	const title = view.title();
	useEffect(() => {
		document.documentElement.lang = l;
		document.title = path === "/" ? `monomi · ${title}` : `${title} · monomi`;
	}, [l, title, path]);
	if (status.data) ended.set(endedOf(status.data)); // before the view is drawn: its sentences say when
	useEffect(() => {
		if (status.data) storedIs(status.data);
	}, [status.data]);
	const shown = useRef(path);
	useEffect(() => {
		if (shown.current !== path) document.getElementById("main")?.focus({ preventScroll: true }); // who cannot see hears of the new view
		shown.current = path;
	}, [path]);
	const found = useRef("");
	useEffect(() => {
		const there = location.hash && found.current !== location.href && document.getElementById(location.hash.slice(1));
		if (there) {
			found.current = location.href; // a link to a section: it comes into sight once, when it is there
			there.scrollIntoView();
		}
	});
	return (
		<Newest.Provider value={status.data?.as_of ?? null}>
			<Stale.Provider value={stale}>
				<a class="skip" href="#main">
					{t("skip")}
				</a>
				<Strip status={status} />
				<Header status={status} />
				<main
					id="main"
					tabIndex={-1}
					key={l}
					class={(stale ? "stale" : "") + (turning ? " turning" : "")}
					aria-busy={turning}
					data-place={`${path}?${at.query}`}
				>
					<view.View key={path} status={status} arguments={view.arguments} />
				</main>
				<TrustBar status={status} />
				<Help />
			</Stale.Provider>
		</Newest.Provider>
	);
}
