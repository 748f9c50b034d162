using ImageStore.Store.Errors;

namespace ImageStore.Snapshotters.Rootless;

/// <summary>Which setting of the machine keeps users from namespaces of their own, and the way out.</summary>
internal static class UserNamespaceLimits
{
    /// <summary>The error for a namespace that could not be made.</summary>
    /// <param name="reason">What the kernel or a program said.</param>
    /// <param name="settings">The folder of sysctls.</param>
    public static ImageStoreException Explain(string reason, string settings = "/proc/sys")
    {
        var (setting, remedy) = Found(settings);
        return new ImageStoreException(
            setting is null ? ErrorKind.Unsupported : ErrorKind.PermissionDenied,
            $"This machine gives users no namespaces of their own: {(setting is null ? reason : $"{setting} ({reason})")}.",
            remedy);
    }

    private static (string? Setting, string Remedy) Found(string settings)
    {
        if (Read(settings, "user/max_user_namespaces") == "0")
        {
            return ("user.max_user_namespaces is 0", "As root: sysctl -w user.max_user_namespaces=15000");
        }

        if (Read(settings, "kernel/unprivileged_userns_clone") == "0")
        {
            return ("kernel.unprivileged_userns_clone is 0", "As root: sysctl -w kernel.unprivileged_userns_clone=1");
        }

        if (Read(settings, "kernel/apparmor_restrict_unprivileged_userns") == "1")
        {
            return ("kernel.apparmor_restrict_unprivileged_userns is 1",
                "As root: give imagestore an AppArmor profile with 'userns,', or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
        }

        return (null, "In a container, its seccomp profile has to allow unshare, clone and mount; else run as root.");
    }

    private static string? Read(string settings, string name)
    {
        try
        {
            return File.ReadAllText(Path.Combine(settings, name)).Trim();
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
