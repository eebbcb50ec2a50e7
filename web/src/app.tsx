import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Header, Strip } from "./parts/header";
import { Help } from "./parts/help";
import { Stale } from "./parts/section";
import { TrustBar } from "./parts/trust";
import { viewOf } from "./pages";
import { usePlace } from "./router";
import { useStale, useStatus } from "./state";
import { useLang } from "./text/language";
import { t } from "./text/strings";

export function App(): JSX.Element {
	const l = useLang(),
		{ path } = usePlace(),
		status = useStatus(),
		stale = useStale(status);
	const view = viewOf(path);
	const title = view.title();
	useEffect(() => {
		document.documentElement.lang = l;
		document.title = path === "/" ? `monomi · ${title}` : `${title} · monomi`;
	}, [l, title, path]);
	const shown = useRef(path);
	useEffect(() => {
		if (shown.current !== path) document.getElementById("main")?.focus({ preventScroll: true }); // who cannot see hears of the new view
		shown.current = path;
	}, [path]);
	return (
		<Stale.Provider value={stale}>
			<a class="skip" href="#main">
				{t("skip")}
			</a>
			<Strip status={status} />
			<Header status={status} />
			<main id="main" tabIndex={-1} key={l} class={stale ? "stale" : ""}>
				<view.View status={status} arguments={view.arguments} />
			</main>
			<TrustBar status={status} />
			<Help />
		</Stale.Provider>
	);
}
