(() => {
"use strict";
{% include "app/elements.js" %}

{% include "app/state.js" %}

{% include "app/data.js" %}

{% include "app/query.js" %}

{% include "app/grid.js" %}

{% include "app/tabs.js" %}

{% include "app/beside.js" %}

{% include "app/advice.js" %}

{% include "app/views.js" %}

{% include "app/charts.js" %}

{% include "app/export.js" %}

{% include "app/main.js" %}

})();
