// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_tree.c - each VM as a tree: container, domain, group, device; and what is in use but
 * belongs to no VM. Floor 3.
 *
 * Nodes are collected first, so that the width of the tree is known when sentences are wrapped.
 */
#include "render_page.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#define ROOT         SIZE_MAX
#define DEEPEST      8
#define BRANCH_CELLS 2 /* of one level of the tree's lines */
#define GAP_CELLS    2 /* between the columns */

struct node {
	size_t parent; /* index, or ROOT */
	size_t depth;
	const void *object;
	const char *label;
	const char *sentence;
	enum nsn_tone tone;
};

struct tree {
	struct nsn_page *page;
	unsigned int places; /* of the fields that make up a sentence */
	struct node *nodes;
	size_t nodes_count, nodes_capacity;
};

static size_t add_node(struct tree *tree, size_t parent, const void *object, const char *label,
		       const char *sentence, enum nsn_tone tone)
{
	struct node *node = NSN_APPEND(tree, nodes);

	if (!node) {
		tree->page->err = -ENOMEM;
		return ROOT;
	}
	node->parent = parent;
	node->depth = parent == ROOT ? 0 : tree->nodes[parent].depth + 1;
	node->object = object;
	node->label = label;
	node->sentence = sentence;
	node->tone = tone;
	return tree->nodes_count - 1;
}

/* The child of a node that stands for an object, or ROOT. */
static size_t find_child(const struct tree *tree, size_t parent, const void *object)
{
	for (size_t i = tree->nodes_count; i-- > 0 && i != parent;)
		if (tree->nodes[i].parent == parent && tree->nodes[i].object == object)
			return i;
	return ROOT;
}

/* Two sentences as one, either of which may be empty. */
static const char *join(struct nsn_page *page, const char *a, const char *b)
{
	return nsn_page__format(page, "%s%s%s", a, *a && *b ? "; " : "", b);
}

/* A node whose sentence is the object's own and then `more`. */
static size_t add_object(struct tree *tree, size_t parent, enum nsn_object kind, const void *object,
			 const char *more, enum nsn_tone tone)
{
	struct nsn_page *page = tree->page;
	enum nsn_tone own;
	const char *sentence = nsn_page__sentence(page, kind, object, tree->places, &own);
	const char *title = nsn_page__safe(page, nsn_object__title(kind, object));
	const char *label = title;

	if (kind != NSN_OBJECT_VM && kind != NSN_OBJECT_DEVICE)
		label = nsn_page__format(page, "%s %s", nsn_kinds[kind].name, title);
	return add_node(tree, parent, object, label, join(page, sentence, more),
			own > tone ? own : tone);
}

/* A bridge only carries the others: who it is does not matter. */
static void add_device(struct tree *tree, size_t parent, const struct nsn_device *device)
{
	enum nsn_tone tone;
	const char *part;

	part = nsn_page__sentence(tree->page, NSN_OBJECT_MEMBER, device, tree->places, &tone);
	if (device->role == NSN_ROLE_BRIDGE)
		add_node(tree, parent, device, nsn_page__safe(tree->page, device->id), part, tone);
	else
		add_object(tree, parent, NSN_OBJECT_DEVICE, device, part, tone);
}

/*
 * PASIDs of the domain that the group stands under; and where the group's own domain is, or none, those
 * in domains that are nobody's table of a VM.
 */
static void add_pasids(struct tree *tree, size_t node, const struct nsn_group *group,
		       const struct nsn_domain *under)
{
	struct nsn_page *page = tree->page;

	for (size_t i = 0; i < group->pasids_count; i++) {
		const struct nsn_pasid *pasid = &group->pasids[i];
		bool here = under && pasid->domain == under;
		enum nsn_tone tone = NSN_TONE_PLAIN;
		const char *where = "", *more = "";

		if (!here &&
		    ((pasid->domain && pasid->domain->user) || (under && group->domain != under)))
			continue;
		if (!here)
			where = nsn_page__sentence(page, NSN_OBJECT_PASID, pasid, tree->places,
						   &tone);
		if (!here && pasid->domain)
			more = nsn_page__sentence(page, NSN_OBJECT_DOMAIN, pasid->domain,
						  tree->places, &tone);
		add_node(tree, node, pasid,
			 nsn_page__format(page, "PASID %llu", (unsigned long long)pasid->number),
			 join(page, where, more), tone);
	}
}

static void add_group(struct tree *tree, size_t parent, const struct nsn_group *group,
		      const struct nsn_domain *under, const char *more, enum nsn_tone tone)
{
	size_t node;

	if (find_child(tree, parent, group) != ROOT)
		return;
	node = add_object(tree, parent, NSN_OBJECT_GROUP, group, more, tone);
	for (size_t i = 0; i < group->devices.items_count && node != ROOT; i++)
		add_device(tree, node, group->devices.items[i]);
	if (node != ROOT)
		add_pasids(tree, node, group, under);
}

static void add_path(struct tree *tree, size_t parent, const struct nsn_path *path)
{
	enum nsn_tone tone;
	const char *how =
		nsn_page__sentence(tree->page, NSN_OBJECT_PATH, path, tree->places, &tone);
	size_t node = parent, child;

	if (path->container) {
		child = find_child(tree, node, path->container);
		node = child != ROOT ? child
				     : add_object(tree, node, NSN_OBJECT_CONTAINER, path->container,
						  "", NSN_TONE_PLAIN);
	}
	if (path->domain && node != ROOT) {
		child = find_child(tree, node, path->domain);
		node = child != ROOT ? child
				     : add_object(tree, node, NSN_OBJECT_DOMAIN, path->domain, "",
						  NSN_TONE_PLAIN);
	}
	if (node == ROOT)
		return;
	if (path->group)
		add_group(tree, node, path->group, path->domain, how, tone);
	else if (path->device && find_child(tree, node, path->device) == ROOT)
		add_object(tree, node, NSN_OBJECT_DEVICE, path->device, how, tone);
	else if (!path->device)
		add_node(tree, node, path, "unknown device", how, tone);
}

static void add_vm(struct tree *tree, const struct nsn_vm *vm)
{
	enum nsn_tone tone;
	size_t root;

	if (!vm->links_count && !vm->paths_count)
		return;
	root = add_object(tree, ROOT, NSN_OBJECT_VM, vm, "", NSN_TONE_PLAIN);
	if (root == ROOT)
		return;
	for (size_t i = 0; i < vm->links_count; i++) {
		const struct nsn_link *link = &vm->links[i];
		const char *by =
			nsn_page__sentence(tree->page, NSN_OBJECT_LINK, link, tree->places, &tone);

		if (find_child(tree, root, link->container) == ROOT)
			add_object(tree, root, NSN_OBJECT_CONTAINER, link->container, by, tone);
	}
	for (size_t i = 0; i < vm->paths_count; i++)
		add_path(tree, root, &vm->paths[i]);
}

/* Cells that the labels may take: all that they need, but at most half of the page. */
static size_t label_column(const struct tree *tree)
{
	size_t most = tree->page->width / 2, widest = 0, cells;

	for (size_t i = 0; i < tree->nodes_count; i++) {
		cells = nsn_cells(tree->nodes[i].label) + BRANCH_CELLS * tree->nodes[i].depth;
		if (cells > widest)
			widest = cells;
	}
	return widest < most ? widest : most;
}

static int add_line(const struct tree *tree, struct libscols_table *out, const struct node *node,
		    struct libscols_line *parent, size_t column, struct libscols_line **line)
{
	struct nsn_page *page = tree->page;
	const char *sequence = nsn_page__tone(page, node->tone);
	const char *label = nsn_page__cut(page, node->label, column - BRANCH_CELLS * node->depth);
	int err;

	*line = scols_table_new_line(out, parent);
	if (!*line)
		return -ENOMEM;
	err = scols_line_set_data(*line, 0, label);
	if (!err)
		err = scols_line_set_data(
			*line, 1,
			nsn_page__wrap(page, node->sentence, page->width - column - GAP_CELLS));
	if (!err && *sequence)
		err = scols_cell_set_color(scols_line_get_cell(*line, 1), sequence);
	return err;
}

static int add_columns(struct libscols_table *out, size_t width)
{
	struct libscols_column *labels, *sentences;

	scols_table_enable_noheadings(out, 1);
	labels = scols_table_new_column(out, "OBJECT", (double)width,
					SCOLS_FL_TREE | SCOLS_FL_STRICTWIDTH);
	sentences = scols_table_new_column(out, "FACTS", 0, SCOLS_FL_WRAP);
	if (!labels || !sentences)
		return -ENOMEM;
	return scols_column_set_wrapfunc(sentences, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					 NULL);
}

/* The nodes from a root up to the next root. */
static int print_root(struct tree *tree, struct libscols_line **lines, size_t column, size_t first,
		      size_t end)
{
	struct libscols_table *out = nsn_page__new_table(tree->page);
	int err = out ? add_columns(out, column) : -ENOMEM;

	for (size_t i = first; i < end && !err; i++) {
		const struct node *node = &tree->nodes[i];

		err = add_line(tree, out, node, node->parent == ROOT ? NULL : lines[node->parent],
			       column, &lines[i]);
	}
	if (!err)
		err = nsn_page__print_table(tree->page, out);
	scols_unref_table(out);
	return err;
}

/* Roots stand apart by an empty line if they have anything below them. */
static void print_tree(struct tree *tree)
{
	struct libscols_line **lines = calloc(tree->nodes_count, sizeof(struct libscols_line *));
	const size_t column = label_column(tree);
	size_t end;

	for (size_t first = 0; first < tree->nodes_count && lines; first = end) {
		for (end = first + 1; end < tree->nodes_count; end++)
			if (tree->nodes[end].parent == ROOT)
				break;
		if (print_root(tree, lines, column, first, end))
			tree->page->err = -ENOMEM;
		if (end < tree->nodes_count && end - first > 1)
			fputc('\n', tree->page->out);
	}
	if (!lines)
		tree->page->err = -ENOMEM;
	free(lines);
}

static void print_vms(struct nsn_page *page)
{
	struct tree tree = { .page = page, .places = NSN_TEXT_TREE };
	size_t count;
	const void **vms = nsn_page__objects(page, NSN_OBJECT_VM, &count);

	for (size_t i = 0; i < count; i++)
		add_vm(&tree, vms[i]);
	if (tree.nodes_count) {
		nsn_page__heading(page, "Devices of each VM, and what stands between");
		print_tree(&tree);
	}
	free(tree.nodes);
}

void nsn_page__vm_tree(struct nsn_page *page, const struct nsn_vm *vm)
{
	struct tree tree = { .page = page, .places = NSN_TEXT_TREE };

	add_vm(&tree, vm);
	if (tree.nodes_count)
		print_tree(&tree);
	free(tree.nodes);
}

/* ---- what belongs to no VM ------------------------------------------------------------------- */

/* Groups and domains that were shown, by their place in the model. */
struct shown {
	const struct nsn_model *model;
	bool *groups, *domains;
};

static void show_refs(struct shown *shown, const struct nsn_refs *groups,
		      const struct nsn_refs *domains)
{
	for (size_t i = 0; i < groups->items_count; i++)
		shown->groups[(struct nsn_group *)groups->items[i] - shown->model->groups] = true;
	for (size_t i = 0; i < domains->items_count; i++)
		shown->domains[(struct nsn_domain *)domains->items[i] - shown->model->domains] =
			true;
}

static void add_domain(struct tree *tree, size_t parent, const struct nsn_domain *domain,
		       struct shown *shown)
{
	static const struct nsn_refs none;
	size_t node = add_object(tree, parent, NSN_OBJECT_DOMAIN, domain, "", NSN_TONE_PLAIN);

	for (size_t i = 0; i < domain->groups.items_count && node != ROOT; i++)
		add_group(tree, node, domain->groups.items[i], domain, "", NSN_TONE_PLAIN);
	show_refs(shown, &domain->groups, &none);
	shown->domains[domain - shown->model->domains] = true;
}

static void add_container(struct tree *tree, const struct nsn_container *container,
			  struct shown *shown)
{
	static const struct nsn_refs none;
	size_t node = add_object(tree, ROOT, NSN_OBJECT_CONTAINER, container, "", NSN_TONE_PLAIN);

	for (size_t i = 0; i < container->domains.items_count && node != ROOT; i++)
		add_domain(tree, node, container->domains.items[i], shown);
	for (size_t i = 0; i < container->groups.items_count && node != ROOT; i++) {
		const struct nsn_group *group = container->groups.items[i];

		if (!shown->groups[group - shown->model->groups])
			add_group(tree, node, group, NULL, "", NSN_TONE_PLAIN);
	}
	show_refs(shown, &container->groups, &none);
}

static bool in_use(const struct nsn_group *group)
{
	return group->pasids_count || group->opened == NSN_YES || group->owner == NSN_OWNER_VFIO ||
	       group->owner == NSN_OWNER_IOMMUFD || group->owner == NSN_OWNER_USER_OTHER;
}

static void collect_others(struct tree *tree, struct shown *shown)
{
	const struct nsn_model *model = shown->model;

	for (size_t i = 0; i < model->vms_count; i++)
		show_refs(shown, &model->vms[i].groups, &model->vms[i].domains);
	for (size_t i = 0; i < model->containers_count; i++)
		if (!model->containers[i].vms.items_count &&
		    nsn_page__shows(tree->page, NSN_OBJECT_CONTAINER, &model->containers[i]))
			add_container(tree, &model->containers[i], shown);
	for (size_t i = 0; i < model->domains_count; i++)
		if (model->domains[i].user && !shown->domains[i] &&
		    nsn_page__shows(tree->page, NSN_OBJECT_DOMAIN, &model->domains[i]))
			add_domain(tree, ROOT, &model->domains[i], shown);
	for (size_t i = 0; i < model->groups_count; i++)
		if (in_use(&model->groups[i]) && !shown->groups[i] &&
		    nsn_page__shows(tree->page, NSN_OBJECT_GROUP, &model->groups[i]))
			add_group(tree, ROOT, &model->groups[i], NULL, "", NSN_TONE_PLAIN);
}

static void print_others(struct nsn_page *page)
{
	struct tree tree = { .page = page, .places = NSN_TEXT_TREE | NSN_TEXT_STRAY };
	struct shown shown = { .model = page->model };

	shown.groups = calloc(page->model->groups_count + 1, sizeof(bool));
	shown.domains = calloc(page->model->domains_count + 1, sizeof(bool));
	if (shown.groups && shown.domains)
		collect_others(&tree, &shown);
	else
		page->err = -ENOMEM;
	if (tree.nodes_count) {
		nsn_page__heading(page, "In use, but by no VM that could be named");
		print_tree(&tree);
	}
	free(shown.groups);
	free(shown.domains);
	free(tree.nodes);
}

void nsn_page__trees(struct nsn_page *page)
{
	print_vms(page);
	print_others(page);
}
