using System.Globalization;
using System.Text.Json;
using ImageStore.Store;
using ImageStore.Store.Errors;
using ImageStore.Store.Metadata;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>What a root tells of itself; every key begins with the namespace, and a blank where more follows.</summary>
internal sealed class StoreView
{
    public const string PinLabel = "io.cri-containerd.pinned";
    public const string ExpiryLabel = "containerd.io/gc.expire";

    /// <summary>The namespaces that are looked into.</summary>
    public static IReadOnlyList<string> Namespaces { get; } = ["default", "other"];

    public SortedDictionary<string, (string Target, SortedDictionary<string, string> Labels)> Images { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, (long Size, SortedDictionary<string, string> Labels)> Content { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, (SortedSet<string> Resources, SortedDictionary<string, string> Labels)> Leases { get; } =
        new(StringComparer.Ordinal);

    public SortedDictionary<string, SortedDictionary<string, string>> NamespaceLabels { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, (string Kind, string? Parent)> Snapshots { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Asks for all. Snapshots, those of the namespace's snapshotter, come from the program and last, since looking at them
    /// repairs; the names are read here, which is much of what a check would otherwise wait for.
    /// </summary>
    /// <exception cref="CommandException">A command failed, or the root cannot be read.</exception>
    public static async Task<StoreView> ReadAsync(StoreCli cli, CancellationToken cancellationToken)
    {
        await cli.JsonAsync(Namespaces[0], "info");
        var view = await ReadNamesAsync(cli.Root, cancellationToken);
        foreach (var ns in Namespaces.Where(_ => cli.Boot.Account.Unpacks))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var snapshot in (await cli.JsonAsync(ns, "snapshots", "ls")).EnumerateArray())
            {
                view.Snapshots[$"{ns} {Text(snapshot, "name")}"] = (
                    Text(snapshot, "kind"), snapshot.TryGetProperty("parent", out var parent) ? parent.GetString() : null);
            }
        }

        return view;
    }

    /// <summary>Reads all but snapshots, also beside whoever has the root.</summary>
    /// <exception cref="CommandException">The root cannot be read.</exception>
    public static async Task<StoreView> ReadNamesAsync(string directory, CancellationToken cancellationToken)
    {
        try
        {
            var view = new StoreView();
            var root = await StoreRoot.OpenAsync(directory, new StoreOptions { Access = MetadataAccess.ReadOnly }, cancellationToken);
            await using var held = root;
            view.ReadNames(root);
            return view;
        }
        catch (ImageStoreException failure)
        {
            throw new CommandException($"The root cannot be read: {failure.Message}");
        }
    }

    /// <summary>The facts, in the words of <see cref="Facts"/>; leases that commands hold while they work are none.</summary>
    public Dictionary<string, string> Rows()
    {
        Dictionary<string, string> rows = new(StringComparer.Ordinal);
        foreach (var (key, image) in Images)
        {
            var (ns, name) = Split(key);
            rows[Facts.ImageKey(ns, name)] = image.Target;
            if (image.Labels.ContainsKey(PinLabel))
            {
                rows[Facts.PinKey(ns, name)] = Facts.Yes;
            }
        }

        foreach (var (key, lease) in Leases)
        {
            var (ns, id) = Split(key);
            if (WorkingLease.Is(id) && lease.Labels.ContainsKey(ExpiryLabel))
            {
                continue;
            }

            rows[Facts.LeaseKey(ns, id)] = Facts.Yes;
            foreach (var resource in lease.Resources)
            {
                rows[Facts.HeldKey(ns, id, resource)] = Facts.Yes;
            }
        }

        foreach (var (ns, labels) in NamespaceLabels)
        {
            foreach (var (label, value) in labels)
            {
                rows[Facts.LabelKey(ns, label)] = value;
            }
        }

        return rows;
    }

    private static (string Namespace, string Name) Split(string key) => key.Split(' ', 2) is [var ns, var name] ? (ns, name) : (key, string.Empty);

    /// <summary>All but snapshots and times, one line each.</summary>
    public IReadOnlyList<string> Dump() =>
    [
        .. Images.Select(image => $"image {image.Key} {image.Value.Target} {All(image.Value.Labels)}"),
        .. Content.Select(blob => string.Create(CultureInfo.InvariantCulture, $"blob {blob.Key} {blob.Value.Size} {All(blob.Value.Labels)}")),
        .. Leases.Select(lease => $"lease {lease.Key} {string.Join(',', lease.Value.Resources)} {All(lease.Value.Labels)}"),
    ];

    private void ReadNames(StoreRoot root)
    {
        foreach (var record in root.Namespaces.List())
        {
            NamespaceLabels[record.Name] = Sorted(record.Labels);
        }

        foreach (var tenant in Namespaces.Select(root.Tenant))
        {
            var ns = tenant.Namespace;
            foreach (var image in tenant.Images.List())
            {
                Images[$"{ns} {image.Name}"] = (image.Target.Digest.ToString(), Sorted(image.Labels));
            }

            foreach (var blob in tenant.Content.List())
            {
                Content[$"{ns} {blob.Digest}"] = (blob.Size, Sorted(blob.Labels));
            }

            foreach (var lease in tenant.Leases.List())
            {
                Leases[$"{ns} {lease.Id}"] = (
                    [.. tenant.Leases.Resources(lease.Id).Select(one => $"{one.Type}:{one.Id}")], Sorted(lease.Labels));
            }
        }
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static SortedDictionary<string, string> Sorted(IReadOnlyDictionary<string, string> labels) =>
        new(labels.ToDictionary(label => label.Key, label => label.Value), StringComparer.Ordinal);

    private static string All(SortedDictionary<string, string> labels) => string.Join(',', labels.Select(label => $"{label.Key}={label.Value}"));
}
