// Charts of the reports. Their numbers stand in a table below each, so a chart is only ever a second look.
(() => {
    "use strict";

    const told = document.getElementById("charts");
    if (!told || !window.Chart) return;
    const charts = JSON.parse(told.textContent);
    const DASHES = [[], [6, 4], [2, 3], [10, 4, 2, 4], [1, 4], [12, 4]];
    const drawn = new Map();

    const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

    function series(chart, one, number) {
        const colour = token(`--cs-chart-${(chart.kind === "stacked" ? [1, 2, 3, 4] : [1, 3, 5, 6, 4, 2])[number]}`);
        if (chart.kind === "stacked") return { label: one.label, data: one.values, backgroundColor: colour, maxBarThickness: 36 };
        // Lines differ by their dash as well as by their colour. A gap is a period without any.
        return { label: one.label, data: one.values, borderColor: colour, backgroundColor: colour, borderDash: DASHES[number % 6], borderWidth: 2, pointRadius: 2, spanGaps: false, tension: 0 };
    }

    function draw(canvas) {
        const chart = charts[canvas.dataset.chart];
        if (!chart) return;
        drawn.get(canvas)?.destroy();
        const text = token("--cs-text"), grid = token("--cs-grid"), stacked = chart.kind === "stacked";
        const axis = { ticks: { color: text, font: { size: 12 } }, border: { color: grid } };
        drawn.set(canvas, new window.Chart(canvas, {
            type: stacked ? "bar" : "line",
            data: { labels: chart.labels, datasets: chart.series.map((one, number) => series(chart, one, number)) },
            options: {
                animation: false, responsive: true, maintainAspectRatio: false,
                interaction: { mode: "index", intersect: false },
                plugins: {
                    legend: { display: true, position: "top", align: "end", labels: { color: text, boxWidth: 14, boxHeight: 10, font: { size: 12 } } },
                    tooltip: { callbacks: { label: (at) => `${at.dataset.label}: ${at.formattedValue} ${chart.unit}` } },
                },
                scales: {
                    x: { ...axis, stacked, grid: { display: false }, ticks: { ...axis.ticks, maxRotation: 0, autoSkipPadding: 12 } },
                    y: { ...axis, stacked, beginAtZero: true, max: chart.top ?? undefined, grid: { color: grid }, ticks: { ...axis.ticks, callback: (value) => (chart.unit === "items" ? value : `${value} ${chart.unit}`) } },
                },
            },
        }));
    }

    const drawAll = () => document.querySelectorAll("canvas[data-chart]").forEach(draw);
    drawAll();
    // The tokens are read when a chart is drawn, so another theme is another drawing.
    new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
})();
