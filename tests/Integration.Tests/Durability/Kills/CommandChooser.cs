using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Courses;

namespace ImageStore.Integration.Tests.Durability.Kills;

/// <summary>Chooses commands that make sense on a root as it was seen last.</summary>
internal sealed class CommandChooser(KillImages images, Random random)
{
    private const int Tags = 4;
    private const int MaxAttempts = 100;

    private static readonly string[] s_leaseIds = ["lease0", "lease1", "lease2"];

    private IEnumerable<TestImage> All => images.Pullable.Append(images.Archive.First).Append(images.Archive.Second);

    public KillCommand Next(KillModel model)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var ns = StoreView.Namespaces[random.Next(StoreView.Namespaces.Count)];
            var names = Names(model, ns);
            var leases = Leases(model, ns);
            var blobs = model.Blobs.Where(blob => blob.StartsWith(ns + " ", StringComparison.Ordinal)).ToList();
            var command = random.Next(17) switch
            {
                0 or 1 => Pull(ns, Any(images.Pullable), unpack: false),
                2 or 3 or 4 => Pull(ns, Any(images.Pullable), unpack: true),
                5 or 6 => Import(ns),
                7 or 8 when names.Count > 0 => Tag(model, ns, Any(names)),
                9 when names.Count > 0 => Pin(ns, Any(names), Any<bool>([true, false])),
                10 or 11 when names.FindAll(name => !model.Rows.ContainsKey(Facts.PinKey(ns, name))) is { Count: > 0 } free =>
                    Remove(ns, Any(free)),
                12 when s_leaseIds.Except(leases).ToList() is { Count: > 0 } free => CreateLease(ns, Any(free)),
                13 when leases.Count > 0 && blobs.Count > 0 => AddToLease(ns, Any(leases), Any(blobs)),
                14 when leases.Count > 0 && random.Next(2) == 0 => RemoveLease(model, ns, Any(leases)),
                14 when blobs.Count > 0 => RemoveBlob(ns, Any(blobs)),
                15 or 16 => new KillCommand("gc", ns, "gc") { Collects = true },
                _ => null,
            };
            if (command is not null)
            {
                return command;
            }
        }

        return Import(StoreView.Namespaces[0]);
    }

    /// <summary>Pulls all images and imports the archive.</summary>
    public IEnumerable<KillCommand> Everything(string ns) => images.Pullable.Select(image => Pull(ns, image, unpack: true)).Append(Import(ns));

    public static KillCommand RemoveLease(KillModel model, string ns, string id) => new("lease rm", ns, "lease", "rm", id)
    {
        Changes = [
            (Facts.LeaseKey(ns, id), null),
            .. model.Rows.Keys
                .Where(key => key.StartsWith(Facts.HeldKey(ns, id, string.Empty), StringComparison.Ordinal))
                .Select(key => (key, (string?)null)),
        ],
    };

    public static KillCommand Pin(string ns, string name, bool pinned)
    {
        var verb = pinned ? "pin" : "unpin";
        return new(verb, ns, "images", verb, name) { Changes = [(Facts.PinKey(ns, name), pinned ? Facts.Yes : null)] };
    }

    public static KillCommand Remove(string ns, string name) => new("images rm", ns, "images", "rm", name)
    {
        Changes = [(Facts.ImageKey(ns, name), null), (Facts.PinKey(ns, name), null)], Collects = true, Unnames = true,
    };

    public static List<string> Names(KillModel model, string ns) => Below(model, Facts.ImageKey(ns, string.Empty));

    public static List<string> Leases(KillModel model, string ns) => Below(model, Facts.LeaseKey(ns, string.Empty));

    private static List<string> Below(KillModel model, string prefix) =>
        [.. model.Rows.Keys
            .Where(key => key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(key => key[prefix.Length..])
            .Order(StringComparer.Ordinal)];

    private static KillCommand Pull(string ns, TestImage image, bool unpack) => new(
        unpack ? "pull" : "pull --no-unpack", ns, unpack ? ["pull", image.Name] : ["pull", "--no-unpack", image.Name])
    {
        Changes = [(Facts.ImageKey(ns, image.Name), image.Manifest)],
        Brings = [.. image.Blobs.Select(blob => $"{ns} {blob}")],
        Unpacks = unpack ? [.. image.Chain.Select(id => $"{ns} {id}")] : [],
    };

    private KillCommand Import(string ns) => new("import", ns, "import", images.Archive.Path)
    {
        Changes =
        [
            (Facts.ImageKey(ns, images.Archive.First.Name), images.Archive.First.Manifest),
            (Facts.ImageKey(ns, images.Archive.Second.Name), images.Archive.Second.Manifest),
        ],
        Brings = [.. images.Archive.First.Blobs.Concat(images.Archive.Second.Blobs).Select(blob => $"{ns} {blob}")],
    };

    private KillCommand Tag(KillModel model, string ns, string source)
    {
        var target = $"tags.example/tag:{random.Next(Tags)}";
        return new KillCommand("images tag", ns, "images", "tag", source, target)
        {
            Changes = [(Facts.ImageKey(ns, target), model.Rows[Facts.ImageKey(ns, source)])],
            Blurs = [Facts.PinKey(ns, target)],

            // What the name stood for until then may be kept by nothing any more.
            Unnames = true,
        };
    }

    private static KillCommand CreateLease(string ns, string id) =>
        new("lease create", ns, "lease", "create", id) { Changes = [(Facts.LeaseKey(ns, id), Facts.Yes)] };

    private static KillCommand AddToLease(string ns, string id, string blob)
    {
        var resource = $"content:{blob[(ns.Length + 1)..]}";
        return new("lease add", ns, "lease", "add", id, resource) { Changes = [(Facts.HeldKey(ns, id, resource), Facts.Yes)], Holds = [blob] };
    }

    /// <summary>Without a manifest, what it refers to is kept by nothing; without a config, the snapshots.</summary>
    private KillCommand RemoveBlob(string ns, string blob)
    {
        var digest = blob[(ns.Length + 1)..];
        var below = All.Where(image => image.Manifest == digest).SelectMany(image => image.Blobs).Select(one => $"{ns} {one}");
        return new("content rm", ns, "content", "rm", digest) { Takes = [blob, .. below], Gone = blob };
    }

    private T Any<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];
}
