import type { JSX } from "preact";
import { t } from "../text/strings";

export function Missing(): JSX.Element {
	return (
		<section class="lead">
			<h1>{t("notFound")}</h1>
			<p>
				<a class="text" href="/">
					{t("now")}
				</a>
			</p>
		</section>
	);
}
