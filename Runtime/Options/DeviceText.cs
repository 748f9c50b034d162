using ImageStore.Runtime.Security;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Options;

/// <summary>A device that a container gets, as users of docker write it.</summary>
/// <param name="Source">Its path on the host, absolute.</param>
/// <param name="Destination">Its path within the container.</param>
/// <param name="Access">Some of <c>rwm</c>.</param>
public sealed record DeviceText(string Source, string Destination, string Access)
{
    private const string Option = "--device";

    /// <summary>Reads <c>HOST[:CONTAINER[:rwm]]</c>.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static DeviceText Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        var access = parts.Length == 3 ? parts[2] : parts.Length == 2 && IsAccess(parts[1]) ? parts[1] : DeviceRules.AnyUse;
        var inside = parts.Length > 1 && !(parts.Length == 2 && IsAccess(parts[1])) ? parts[1] : parts[0];
        return parts.Length <= 3 && parts[0].StartsWith('/') && IsAccess(access)
            ? new DeviceText(Path.GetFullPath(parts[0]), ContainerPath.Absolute(Option, inside), access)
            : throw OptionFault.Of(Option, text, "is no device", "Write HOST, HOST:CONTAINER or HOST:CONTAINER:rwm, such as /dev/fuse.");
    }

    private static bool IsAccess(string text) => text.Length is > 0 and <= 3 && text.Distinct().Count() == text.Length && text.All(DeviceRules.AnyUse.Contains);
}
