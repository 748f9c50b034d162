using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>As whom the owners of files are shown in a mount. On disk they stay who they are.</summary>
/// <param name="Users">The users' ids.</param>
/// <param name="Groups">The groups' ids.</param>
public sealed record IdMapPair(IdMap Users, IdMap Groups)
{
    /// <summary>containerd's label for the map of users on a snapshot, <c>container:host:size,…</c>.</summary>
    public const string UserLabel = "containerd.io/snapshot/uidmapping";

    /// <summary>containerd's label for the map of groups.</summary>
    public const string GroupLabel = "containerd.io/snapshot/gidmapping";

    private const string UserOption = "uidmap=";
    private const string GroupOption = "gidmap=";

    /// <summary>The maps that are given range by range; null where none are.</summary>
    /// <exception cref="ImageStoreException">Only one of the maps is given, or one is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static IdMapPair? Of(IReadOnlyCollection<string> users, IReadOnlyCollection<string> groups)
    {
        ArgumentNullException.ThrowIfNull(users);
        ArgumentNullException.ThrowIfNull(groups);
        return Both(users.Count == 0 ? null : string.Join(',', users), groups.Count == 0 ? null : string.Join(',', groups));
    }

    /// <summary>What a snapshot's labels say; null where they say nothing.</summary>
    /// <exception cref="ImageStoreException">As for <see cref="Of"/>.</exception>
    public static IdMapPair? FromLabels(IReadOnlyDictionary<string, string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return Both(labels.GetValueOrDefault(UserLabel), labels.GetValueOrDefault(GroupLabel));
    }

    /// <summary>The labels that say so.</summary>
    public IEnumerable<KeyValuePair<string, string>> ToLabels() =>
        [KeyValuePair.Create(UserLabel, Users.ToString()), KeyValuePair.Create(GroupLabel, Groups.ToString())];

    /// <summary>The mount with the maps, as containerd spells them among its options.</summary>
    internal Mount Onto(Mount mount) => mount with { Options = [.. mount.Options, UserOption + Users, GroupOption + Groups] };

    /// <summary>Takes the maps out of a mount's options.</summary>
    internal static (IdMapPair? Maps, MountOptions Others) Split(MountOptions options)
    {
        var maps = Both(Value(options, UserOption), Value(options, GroupOption));
        return maps is null ? (null, options) : (maps, options with { Data = [.. options.Data.Where(option => !IsMap(option))] });
    }

    private static bool IsMap(string option) =>
        option.StartsWith(UserOption, StringComparison.Ordinal) || option.StartsWith(GroupOption, StringComparison.Ordinal);

    private static string? Value(MountOptions options, string name) =>
        options.Data.FirstOrDefault(option => option.StartsWith(name, StringComparison.Ordinal))?[name.Length..];

    private static IdMapPair? Both(string? users, string? groups) => (users, groups) switch
    {
        (null, null) => null,
        (not null, not null) => new IdMapPair(IdMap.Parse(users), IdMap.Parse(groups)),
        _ => throw new ImageStoreException(
            ErrorKind.InvalidArgument, "A map of users' ids and one of groups' ids go together.", "Give both."),
    };
}
