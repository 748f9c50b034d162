using ImageStore.Engine.Configuration;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Authorization;

/// <summary>The error for a call that the rules do not let a caller make: who asked what, and what would let it.</summary>
internal static class Denial
{
    /// <summary>The caller lacks a right in a namespace; whether that is there, it does not say.</summary>
    public static ImageStoreException Of(Caller caller, string method, string @namespace, AccessRights needed)
    {
        var (name, right) = (Printable.Of(@namespace), Word(needed));
        var user = caller.Peer is { } peer ? FormattableString.Invariant($"{peer.User}") : "UID";
        return new ImageStoreException(
            ErrorKind.PermissionDenied,
            $"{caller} may not call {Short(method)} in the namespace '{name}': that needs the right '{right}' there.",
            $"Root grants it in the daemon's config.toml: [[access]] users = [{user}], namespaces = [\"{name}\"], may = [\"{right}\"].");
    }

    /// <summary>The method works in all namespaces, which no rule gives.</summary>
    public static ImageStoreException Everywhere(Caller caller, string method) => new(
        ErrorKind.PermissionDenied,
        $"{caller} may not call {Short(method)}, which works in all namespaces.",
        "Only root and the daemon's own user may.");

    /// <summary>The method has no place in the table.</summary>
    public static ImageStoreException Unlisted(Caller caller, string method) => new(
        ErrorKind.PermissionDenied, $"{caller} may not call {Printable.Of(method)}: nothing says which right that needs.", "Report it: this is a defect.");

    /// <summary>The mounts are none that the caller was handed out.</summary>
    public static ImageStoreException Mounts(Caller caller, string @namespace) => new(
        ErrorKind.PermissionDenied,
        $"{caller} may give the mounts of snapshots and views of the namespace '{Printable.Of(@namespace)}' alone, as they were handed out.",
        "Only root and the daemon's own user may name other directories.");

    /// <summary>The caller names a directory of this machine, whose files are read, and programs run, as root.</summary>
    public static ImageStoreException Directory(Caller caller, string directory) => new(
        ErrorKind.PermissionDenied,
        $"{caller} may not have the daemon look for registries' files in {Printable.Of(directory)}.",
        "Only root and the daemon's own user may name directories; those that root has set up count for all.");

    private static string Word(AccessRights right) => right switch
    {
        AccessRights.Write => "write",
        AccessRights.Run => "run",
        AccessRights.Administer => "administer",
        _ => "read",
    };

    private static string Short(string method) => method[(method.LastIndexOf('.') + 1)..];
}
