/* Fields that name a person: what is typed is looked for on the server, and what fits is offered. Without it one types the whole user name. */
document.querySelectorAll("input[data-people]").forEach((input, number) => {
    if (!input.dataset.people) return;
    const list = document.createElement("datalist");
    list.id = `people-${number}`;
    input.after(list);
    input.setAttribute("list", list.id);
    let asked = "";
    let timer;
    input.addEventListener("input", () => {
        clearTimeout(timer);
        const term = input.value.trim();
        if (term.length < 2 || term === asked) return;
        timer = setTimeout(async () => {
            asked = term;
            const address = new URL(input.dataset.people, window.location.href);
            address.searchParams.set("q", term);
            const answer = await fetch(address, { headers: { Accept: "application/json" } });
            if (!answer.ok || asked !== term) return;
            const told = await answer.json();
            list.replaceChildren(...told.people.map((one) => {
                const option = document.createElement("option");
                option.value = one.username;
                option.label = one.name ? `${one.username}, ${one.name}` : one.username;
                return option;
            }));
        }, 200);
    });
});
