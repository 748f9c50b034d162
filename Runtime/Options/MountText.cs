using System.Globalization;
using ImageStore.Runtime.Spec;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Options;

/// <summary>Mounts as users of docker, nerdctl and ctr write them.</summary>
public static class MountText
{
    private const string MountOption = "--mount";
    private const string VolumeOption = "--volume";
    private const string MountRemedy = "Write type=bind,src=DIR,dst=DIR[,ro][,options=A:B] or type=tmpfs,dst=DIR[,tmpfs-size=SIZE].";
    private const string VolumeRemedy = "Write SRC:DST or SRC:DST:ro; SRC is a path, from / or ./ on.";

    private static readonly string[] s_propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"];

    /// <summary>Reads <c>type=bind,src=DIR,dst=DIR,ro</c> and <c>type=tmpfs,dst=DIR</c>.</summary>
    /// <remarks><c>options</c> is ctr's, with colons; <c>readonly</c>, <c>bind-propagation</c>, <c>tmpfs-size</c> and <c>tmpfs-mode</c> are docker's.</remarks>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static MountSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (type, source, destination) = ("bind", (string?)null, (string?)null);
        List<string> options = [];
        foreach (var field in text.Split(','))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            var (key, value) = equals < 0 ? (field, string.Empty) : (field[..equals], field[(equals + 1)..]);
            switch (key)
            {
                case "type" when value is "bind" or "tmpfs":
                    type = value;
                    break;
                case "source" or "src" when value.Length > 0:
                    source = value;
                    break;
                case "destination" or "dst" or "target" when value.Length > 0:
                    destination = value;
                    break;
                case "options" when value.Length > 0:
                    options.AddRange(value.Split(':'));
                    break;
                case "readonly" or "ro" when value is "" or "true" or "1":
                    options.Add("ro");
                    break;
                case "readonly" or "ro" when value is "false" or "0":
                    options.Add("rw");
                    break;
                case "bind-propagation" when s_propagations.Contains(value):
                    options.Add(value);
                    break;
                case "tmpfs-size" when ByteText.Parse(value) is { } bytes:
                    options.Add(string.Create(CultureInfo.InvariantCulture, $"size={bytes}"));
                    break;
                case "tmpfs-mode" when value.Length is > 0 and <= 5 && value.All(c => c is >= '0' and <= '7'):
                    options.Add($"mode={value}");
                    break;
                default:
                    throw OptionFault.Of(MountOption, text, $"has '{Printable.Of(field)}', which is not understood", MountRemedy);
            }
        }

        if (destination is null || (type == "bind") != (source is not null) || options.Exists(IsOdd))
        {
            throw OptionFault.Of(MountOption, text, type == "bind" ? "needs src and dst" : "needs dst, and has no src", MountRemedy);
        }

        var inside = ContainerPath.Absolute(MountOption, destination);
        return type == "bind" ? Bind(MountOption, text, Path.GetFullPath(source!), inside, options) : Tmpfs(inside, options);
    }

    /// <summary>Reads <c>SRC:DST[:ro]</c>; after the second colon options stand with commas.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>), or names a volume (<see cref="ErrorKind.Unsupported"/>).</exception>
    public static MountSpec ParseVolume(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        if (parts.Length is not (2 or 3) || parts.Any(part => part.Length == 0))
        {
            throw OptionFault.Of(VolumeOption, text, "is no mount", VolumeRemedy);
        }

        if (!parts[0].StartsWith('/') && !parts[0].StartsWith('.'))
        {
            throw new ImageStoreException(
                ErrorKind.Unsupported, $"{VolumeOption} '{Printable.Of(text)}' names a volume, and a bundle has none.", VolumeRemedy);
        }

        // Labels of SELinux, which is not used here.
        var options = parts.Length == 3 ? parts[2].Split(',').Where(option => option is not ("z" or "Z")).ToList() : [];
        return options.Exists(IsOdd)
            ? throw OptionFault.Of(VolumeOption, text, "has an option that is none", VolumeRemedy)
            : Bind(VolumeOption, text, Path.GetFullPath(parts[0]), ContainerPath.Absolute(VolumeOption, parts[1]), options);
    }

    private static MountSpec Bind(string option, string text, string source, string destination, List<string> options)
    {
        if (destination == "/")
        {
            throw OptionFault.Of(option, text, "would hide the whole image", "Mount on a directory of its own, such as /data.");
        }

        if (!options.Contains("bind") && !options.Contains("rbind"))
        {
            options.Insert(0, "rbind");
        }

        if (!options.Exists(s_propagations.Contains))
        {
            options.Insert(1, "rprivate");
        }

        return new MountSpec { Destination = destination, Type = "bind", Source = source, Options = options };
    }

    private static MountSpec Tmpfs(string destination, List<string> options) => new()
    {
        Destination = destination, Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "nodev", "noexec", .. options],
    };

    private static bool IsOdd(string option) => option.Length == 0 || !option.All(c => char.IsAsciiLetterOrDigit(c) || c is '=' or '_' or '-' or '.' or '/');
}
