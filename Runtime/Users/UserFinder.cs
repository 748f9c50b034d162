using System.Globalization;
using ImageStore.Runtime.Spec;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Runtime.Users;

/// <summary>Finds a user's numbers in a root filesystem's <c>/etc/passwd</c> and <c>/etc/group</c>.</summary>
/// <remarks>
/// A user by number that the file does not have gets the group 0; one by name has to be there. The groups are those that list the
/// user, and the user's first group is always among them: without it a program could leave the group that it is denied something by
/// (CVE-2022-2989 and its kin).
/// </remarks>
public static class UserFinder
{
    private const string Passwd = "etc/passwd";
    private const string Group = "etc/group";

    /// <summary>The most groups that the kernel takes for one process.</summary>
    private const int MaxGroups = 65536;

    /// <summary>The numbers of <paramref name="wanted"/>.</summary>
    /// <param name="rootfs">The root filesystem's directory.</param>
    /// <param name="wanted">The user.</param>
    /// <exception cref="ImageStoreException">There is no such user or group (<see cref="ErrorKind.NotFound"/>), their line is malformed
    /// (<see cref="ErrorKind.CorruptData"/>), or a file is none that is read.</exception>
    public static UserSpec Find(string rootfs, UserText wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        using var root = OpenAt.HostDirectory(rootfs);
        try
        {
            return Find(root, wanted);
        }
        catch (ImageStoreException unusable) when (
            unusable.Kind is ErrorKind.FailedPrecondition or ErrorKind.LimitExceeded && wanted is { User.Id: { } uid, Group.Id: { } gid })
        {
            // Two numbers need no file, and are the way out of one that cannot be read.
            return new UserSpec { Uid = uid, Gid = gid, AdditionalGids = [gid] };
        }
    }

    private static UserSpec Find(SafeFileHandle root, UserText wanted)
    {
        var entry = wanted.User is null ? FindById(root, 0) ?? new Entry("root", 0, 0)
            : wanted.User.Name is { } name ? FindByName(root, wanted, name)
            : FindById(root, wanted.User.Id!.Value) ?? new Entry(null, wanted.User.Id!.Value, 0);
        var gid = wanted.Group is null ? entry.Gid : wanted.Group.Id ?? FindGroup(root, wanted, wanted.Group.Name!);
        return new UserSpec { Uid = entry.Uid, Gid = gid, AdditionalGids = [.. GroupsOf(root, entry.Name).Prepend(gid).Distinct()] };
    }

    private static Entry FindByName(SafeFileHandle root, UserText wanted, string name)
    {
        var written = AccountFile.AsWritten(name);
        foreach (var (number, line) in AccountFile.Lines(root, Passwd))
        {
            if (line.Split(':') is var fields && fields[0] == written)
            {
                return Read(fields) ?? throw Malformed(wanted, Passwd, number);
            }
        }

        throw Missing(wanted, "user", name, Passwd);
    }

    private static Entry? FindById(SafeFileHandle root, uint uid) =>
        AccountFile.Lines(root, Passwd).Select(line => Read(line.Text.Split(':'))).FirstOrDefault(entry => entry?.Uid == uid);

    // name:password:uid:gid:comment:home:shell; Go's parser takes what is missing for 0, which is root.
    private static Entry? Read(string[] fields) =>
        fields.Length >= 4 && fields[0].Length > 0 && UserText.TryId(fields[2]) is { } uid && UserText.TryId(fields[3]) is { } gid
            ? new Entry(fields[0], uid, gid)
            : null;

    private static uint FindGroup(SafeFileHandle root, UserText wanted, string name)
    {
        var written = AccountFile.AsWritten(name);
        foreach (var (number, line) in AccountFile.Lines(root, Group))
        {
            if (line.Split(':') is var fields && fields[0] == written)
            {
                return GidOf(fields) ?? throw Malformed(wanted, Group, number);
            }
        }

        throw Missing(wanted, "group", name, Group);
    }

    // name:password:gid:user,user
    private static uint? GidOf(string[] fields) => fields.Length >= 3 ? UserText.TryId(fields[2]) : null;

    private static List<uint> GroupsOf(SafeFileHandle root, string? user)
    {
        List<uint> found = [];
        if (user is null)
        {
            return found;
        }

        foreach (var (_, line) in AccountFile.Lines(root, Group))
        {
            if (line.Split(':') is { Length: >= 4 } fields && GidOf(fields) is { } gid && fields[3].Split(',').Contains(user))
            {
                found.Add(gid);
                if (found.Count >= MaxGroups)
                {
                    throw new ImageStoreException(
                        ErrorKind.LimitExceeded,
                        $"/{Group} of the image has the user '{Shown(user)}' in more than {MaxGroups} groups.",
                        "Name another user, or ask the image's publisher.");
                }
            }
        }

        return found;
    }

    private static ImageStoreException Missing(UserText wanted, string what, string name, string file) => new(
        ErrorKind.NotFound,
        $"The user '{Printable.Of(wanted.Text)}' cannot be found: /{file} of the image has no {what} '{Printable.Of(name)}'.",
        "Name one that it has with --user, or numbers, as UID:GID.");

    private static ImageStoreException Malformed(UserText wanted, string file, int line) => new(
        ErrorKind.CorruptData,
        $"The user '{Printable.Of(wanted.Text)}' cannot be found: line {line.ToString(CultureInfo.InvariantCulture)} of /{file} of the image has no ids from 0 to {UserText.MaxId}.",
        "Name the user by numbers with --user, as UID:GID, or ask the image's publisher.");

    private static string Shown(string written) => Printable.Of(System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(written)));

    private sealed record Entry(string? Name, uint Uid, uint Gid);
}
